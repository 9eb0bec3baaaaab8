#include "store/handle.h"

/* The fields' columns, in the order of the table in profile/field.h. */
#define FIELD_COLUMNS                                                                                        \
    "name,given_name,family_name,nickname,pronouns,bio,picture,website,locale,zoneinfo,email,email_"         \
    "verified,"                                                                                              \
    "phone_number,birthdate,address,attributes"
/* In which state of the database something is read: of the same statement, so of the same snapshot. */
#define SNAPSHOT "epoch,(SELECT coalesce(max(seq),0) FROM changes)"
#define ROW_COLUMNS                                                                                          \
    "SELECT " SNAPSHOT ",n,profiles.id,handle,state,private,created_at,owner_seq,owner_updated_at,"          \
    "public_seq,public_updated_at," FIELD_COLUMNS
/* One row in any case: where there is no such profile, n is NULL. */
#define ROW ROW_COLUMNS " FROM meta LEFT JOIN profiles ON "

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
    [STORE_GET_AFTER] = ROW "n>?1 ORDER BY n LIMIT ?2",
    /* a row for each, of one snapshot; CROSS, so that what is asked for leads and the index of ids is used */
    [STORE_GET_MANY] = (ROW_COLUMNS ",asked.key FROM meta CROSS JOIN json_each(?1) AS asked "
                                    "LEFT JOIN profiles ON profiles.id=asked.value"),
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
};

const char *store_statement_text(enum store_statement s)
{
    return texts[s];
}
