#include "store/handle.h"

/* The fields' columns, in the order of the table in profile/field.h. */
#define FIELD_COLUMNS                                                                                        \
    "name,given_name,family_name,nickname,pronouns,bio,picture,website,locale,zoneinfo,email,email_"         \
    "verified,"                                                                                              \
    "phone_number,birthdate,address,attributes"
/* In which state of the database something is read: of the same statement, so of the same snapshot. */
#define SNAPSHOT "epoch,(SELECT coalesce(max(seq),0) FROM changes)"
/* One row in any case: where there is no such profile, n is NULL. */
#define COLUMNS                                                                                              \
    "n,id,handle,state,private,created_at,owner_seq,owner_updated_at,public_seq,public_updated_"             \
    "at," FIELD_COLUMNS
#define ROW "SELECT " SNAPSHOT "," COLUMNS " FROM meta LEFT JOIN profiles ON "
/* One of a page, whose snapshot is read apart. */
#define ROW_OF_PAGE "SELECT NULL,0," COLUMNS " FROM "

#define NEXT "(SELECT coalesce(max(seq),0)+1 FROM changes)"

/* The row's number as it was read, which spares the search in the index of ids (three pages that another's
 * commit made read anew); 0: not known. The id is compared all the same. */
#define PLACE(parameter) "iif(" parameter ">0," parameter ",(SELECT n FROM profiles WHERE id=?1))"

#define UPDATE_FIELDS                                                                                        \
    "state=?3,private=?4,name=?5,given_name=?6,family_name=?7,nickname=?8,pronouns=?9,bio=?10,picture=?11,"  \
    "website=?12,locale=?13,zoneinfo=?14,email=?15,email_verified=?16,phone_number=?17,birthdate=?18,"       \
    "address=?19,attributes=?20 WHERE n=" PLACE("?22") " AND id=?1 AND owner_seq=?21"

static const char *const texts[STORE_STATEMENT_COUNT] = {
    [STORE_BEGIN] = "BEGIN IMMEDIATE",
    [STORE_BEGIN_READ] = "BEGIN",
    [STORE_COMMIT] = "COMMIT",
    [STORE_ROLLBACK] = "ROLLBACK",
    [STORE_GET] = ROW "id=?1",
    [STORE_GET_BY_HANDLE] = ROW "handle=?1",
    [STORE_GET_AFTER] = ROW "n>?1 WHERE one=1 ORDER BY n LIMIT ?2",
    [STORE_STAMPS] = "SELECT (SELECT epoch FROM meta),owner_seq,created_at,owner_seq,owner_updated_at,"
                     "public_seq,public_updated_at FROM profiles WHERE n=" PLACE("?2") " AND id=?1",
    /* brings the stamps that the log is about to give, so that the trigger need not write the row again;
     * VALUES and the time bound, since a SELECT that a trigger disturbs goes through a table of its own */
    [STORE_INSERT] =
        "INSERT OR FAIL INTO profiles (id,handle,state,private,created_at,owner_seq,owner_updated_at,"
        "public_seq,public_updated_at," FIELD_COLUMNS ")"
        "VALUES (?1,?2,?3,?4,?21," NEXT ",?21," NEXT ",?21,"
        "?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20)",
    /* the check of the sequence that the decision was made on, and (in the trigger) its raising, in one */
    [STORE_UPDATE] = "UPDATE OR FAIL profiles SET " UPDATE_FIELDS,
    /* apart: naming the handle writes its index anew, another page in the log of each transaction */
    [STORE_UPDATE_WITH_HANDLE] = "UPDATE OR FAIL profiles SET handle=?2," UPDATE_FIELDS,
    [STORE_DELETE] = "DELETE FROM profiles WHERE id=?1 AND owner_seq=?2",
    [STORE_TOMBSTONE] = "SELECT 1 FROM tombstones WHERE id=?1",
    [STORE_REVOKED_UNTIL] =
        "SELECT " SNAPSHOT ",(SELECT until_s FROM revocations WHERE subject=?1) FROM meta",
    [STORE_SNAPSHOT] = "SELECT " SNAPSHOT " FROM meta",
    [STORE_CHANGES_AFTER] =
        "SELECT seq,profile_id,what,handle,old_handle,at FROM changes WHERE seq>?1 ORDER BY seq",
    [STORE_CHANGES_ENTRY] = ("SELECT at||' '||what||' '||profile_id||' '||coalesce(handle,'')||' '||"
                             "coalesce(old_handle,'') FROM changes WHERE seq=?1"),
    [STORE_REVOCATIONS] =
        "SELECT subject,until_s FROM revocations WHERE subject>?1 AND until_s>?2 ORDER BY subject",
    [STORE_MIGRATIONS] = "SELECT count(*),coalesce(max(number),0) FROM migrations",
    /* SQLite writes no page that is as it was: there, and back */
    [STORE_TOUCH] = "UPDATE migrations SET applied_at=applied_at+1 WHERE number=1",
    [STORE_UNTOUCH] = "UPDATE migrations SET applied_at=applied_at-1 WHERE number=1",
    [STORE_EPOCH_GET] = "SELECT epoch FROM meta",
    [STORE_EPOCH_DRAW] = "UPDATE meta SET epoch=lower(hex(randomblob(5))) WHERE epoch IS NULL",
    [STORE_EPOCH_RENEW] = "UPDATE meta SET epoch=lower(hex(randomblob(5)))",
    [STORE_COUNTS] = "SELECT (SELECT count(*) FROM profiles),(SELECT coalesce(max(seq),0) FROM changes)",
    /* the suspended are passed over by their own index, without a look at the rows */
    [STORE_LIST] = ROW_OF_PAGE
    "profiles WHERE handle>?1 AND NOT EXISTS (SELECT 1 FROM profiles s INDEXED BY profiles_suspended "
    "WHERE s.state='suspended' AND s.handle=profiles.handle) ORDER BY handle LIMIT ?2",
    [STORE_SECRET_GET] = "SELECT key FROM secrets WHERE name=?1",
    [STORE_SECRET_PUT] = "INSERT OR IGNORE INTO secrets (name,key) VALUES (?1,?2)",
    [STORE_SEARCH_BEHIND] = "SELECT 1 FROM search_pending LIMIT 1",
    [STORE_SEARCH_BULK] = "INSERT INTO search_bulk (one,after) SELECT 1,coalesce(max(n),0) FROM profiles",
    [STORE_SEARCH_BULK_NOTE] = "INSERT INTO search_pending (n) SELECT n FROM profiles "
                               "WHERE n>(SELECT after FROM search_bulk) AND "
                               "n NOT IN (SELECT n FROM search_pending)",
    [STORE_SEARCH_BULK_END] = "DELETE FROM search_bulk",
    [STORE_SEARCH_UP_TO_DATE] = "DELETE FROM search_pending",
    [STORE_ERASURE_WANT] = "UPDATE search_erasure SET wanted=1 WHERE wanted=0 AND "
                           "EXISTS (SELECT 1 FROM search_pending WHERE handle IS NOT NULL)",
    [STORE_ERASURE_GET] = "SELECT wanted,segment,begun_at,due_at,"
                          "EXISTS (SELECT 1 FROM search_pending) FROM search_erasure",
    [STORE_ERASURE_PUT] = "UPDATE search_erasure SET wanted=?1,segment=?2,begun_at=?3,due_at=?4",
    [STORE_ERASURE_STRUCTURE] = "SELECT block FROM search_data WHERE id=10",
    [STORE_SEARCH] =
        "WITH found(place) AS (SELECT rowid FROM search WHERE search MATCH ?1 AND rowid>?2) " ROW_OF_PAGE
        "found CROSS JOIN profiles ON n=place WHERE state='active' AND "
        "n NOT IN (SELECT n FROM search_pending) ORDER BY place LIMIT ?3",
    /* in the order of rows, each taken out before it is put in: out of order, FTS5 begins a segment anew */
    [STORE_SEARCH_FILL] =
        "INSERT INTO search(search,rowid,handle,name) "
        "SELECT 'delete',n,handle,name FROM search_pending WHERE handle IS NOT NULL UNION ALL "
        "SELECT NULL,p.n,r.handle,r.name FROM search_pending p CROSS JOIN search_rows r ON r.n=p.n "
        "ORDER BY 2,1 DESC",
    [STORE_SEARCH_FILL_BULK] = "INSERT INTO search(rowid,handle,name) SELECT n,handle,name FROM search_rows "
                               "WHERE n>(SELECT after FROM search_bulk) AND "
                               "n NOT IN (SELECT n FROM search_pending) ORDER BY n",
    [STORE_SEARCH_MERGE] = "INSERT INTO search(search,rank) VALUES ('merge',?1)",
    [STORE_SEARCH_REBUILD] = "INSERT INTO search(search) VALUES ('rebuild')",
};

const char *store_statement_text(enum store_statement s)
{
    return texts[s];
}
