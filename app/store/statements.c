#include "store/handle.h"

/* The fields' columns, in the order of the table in profile/field.h. */
#define FIELD_COLUMNS                                                                                        \
    "name,given_name,family_name,nickname,pronouns,bio,picture,website,locale,zoneinfo,email,email_"         \
    "verified,"                                                                                              \
    "phone_number,birthdate,address,attributes"
/* In which state of the database something is read: of the same statement, so of the same snapshot. */
#define SNAPSHOT "epoch,(SELECT coalesce(max(seq),0) FROM changes)"
#define COLUMNS                                                                                              \
    "n,profiles.id,handle,state,private,created_at,owner_seq,owner_updated_at,public_seq,public_updated_"    \
    "at," FIELD_COLUMNS
/* One row in any case: where there is no such profile, n is NULL. */
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
    /* a row for each, of one snapshot; CROSS, so that what is asked for leads and the index of ids is used */
    [STORE_GET_MANY] =
        ("SELECT " SNAPSHOT "," COLUMNS ",asked.key FROM meta CROSS JOIN json_each(?1) AS asked "
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
    [STORE_REVOCATION] = "SELECT " SNAPSHOT ",(SELECT until_s FROM revocations WHERE subject=?1),"
                         "EXISTS (SELECT 1 FROM revoked_tokens WHERE name=?2) FROM meta",
    [STORE_REVOKE_SUBJECT] = "INSERT INTO revoke (subject,until_s) VALUES (?1,?2)",
    [STORE_REVOKE_TOKEN] =
        "INSERT INTO revoked_tokens (name,subject,expires_s) VALUES (?1,?2,?3) ON CONFLICT (name) DO UPDATE "
        "SET expires_s=excluded.expires_s WHERE excluded.expires_s>revoked_tokens.expires_s",
    [STORE_SNAPSHOT] = "SELECT " SNAPSHOT " FROM meta",
    [STORE_CHANGES_AFTER] =
        "SELECT seq,profile_id,what,handle,old_handle,at,token,token_until_s FROM changes WHERE seq>?1 "
        "ORDER BY seq",
    /* without the handles: they are taken out when the profile goes, and the history is the same one */
    [STORE_CHANGES_ENTRY] =
        "SELECT at||' '||what||' '||profile_id||coalesce(' '||token,'') FROM changes WHERE seq=?1",
    [STORE_CHANGES_FIRST] = "SELECT min(seq) FROM changes",
    [STORE_CHANGES_OLDEST] = "SELECT seq,at,what='revoke' FROM changes ORDER BY seq LIMIT ?1",
    [STORE_CHANGES_TIDY] = "DELETE FROM changes WHERE seq<=?1 AND seq<(SELECT max(seq) FROM changes)",
    [STORE_HELD_ENTRY] = "SELECT seq,profile_id,what,handle,old_handle,at,token,token_until_s,prior FROM "
                         "changes WHERE seq=?1 AND profile_id=?2",
    /* as JSON; the key of an answer is its asker's, its body belongs to whom it is about */
    [STORE_HELD_BESIDE] =
        "SELECT (SELECT json_object('hash',hash,'type',type,'bytes',length(content)) FROM avatars "
        "JOIN images ON images.n=image WHERE profile_id=?1),"
        "(SELECT json_group_array(json_object('token',name,'until',"
        "strftime('%Y-%m-%dT%H:%M:%S.000Z',expires_s,'unixepoch'))) "
        "FROM revoked_tokens WHERE subject=?1 HAVING count(*)>0),"
        "(SELECT json_group_array(json_patch('{}',json_object('target',target,'status',status,"
        "'at',strftime('%Y-%m-%dT%H:%M:%fZ',at/1000.0,'unixepoch'),"
        "'key',iif(subject=?1,key,NULL),'body',iif(profile_id=?1,body,NULL)))) "
        "FROM answers WHERE subject=?1 OR profile_id=?1 HAVING count(*)>0)",
    [STORE_HELD_TOMBSTONE] = "SELECT deleted_at,seq FROM tombstones WHERE id=?1",
    [STORE_REVOCATIONS] =
        "SELECT subject,until_s FROM revocations WHERE subject>?1 AND until_s>?2 ORDER BY subject",
    [STORE_REVOKED_TOKENS] =
        "SELECT '@'||name,expires_s FROM revoked_tokens WHERE name>?1 AND expires_s>?2 ORDER BY name",
    [STORE_ANSWER_GET] =
        "SELECT request,status,head,body FROM answers WHERE subject=?1 AND target=?2 AND key=?3 "
        "AND at>?4",
    [STORE_ANSWER_PUT] =
        "INSERT OR REPLACE INTO answers (subject,target,key,at,request,status,head,body,profile_id)"
        "VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9)",
    [STORE_PRUNE_DUE] = "SELECT EXISTS (SELECT 1 FROM answers WHERE at<=?1) OR "
                        "EXISTS (SELECT 1 FROM revoked_tokens WHERE expires_s<=?2)",
    [STORE_PRUNE_ANSWERS] = "DELETE FROM answers WHERE (subject,target,key) IN "
                            "(SELECT subject,target,key FROM answers WHERE at<=?1 ORDER BY at LIMIT ?2)",
    [STORE_PRUNE_TOKENS] =
        "DELETE FROM revoked_tokens WHERE name IN "
        "(SELECT name FROM revoked_tokens WHERE expires_s<=?1 ORDER BY expires_s LIMIT ?2)",
    [STORE_MIGRATIONS] = "SELECT count(*),coalesce(max(number),0) FROM migrations",
    /* SQLite writes no page that is as it was: there, and back */
    [STORE_TOUCH] = "UPDATE migrations SET applied_at=applied_at+1 WHERE number=1",
    [STORE_UNTOUCH] = "UPDATE migrations SET applied_at=applied_at-1 WHERE number=1",
    [STORE_EPOCH_GET] = "SELECT epoch FROM meta",
    [STORE_EPOCH_DRAW] = "UPDATE meta SET epoch=lower(hex(randomblob(5))) WHERE epoch IS NULL",
    [STORE_EPOCH_RENEW] = "UPDATE meta SET epoch=lower(hex(randomblob(5)))",
    [STORE_COUNTS] = "SELECT (SELECT count(*) FROM profiles),(SELECT coalesce(max(seq),0) FROM changes),"
                     "(SELECT count(*) FROM images),"
                     "(SELECT count(*) FROM images WHERE n NOT IN (SELECT image FROM avatars))",
    [STORE_AVATAR_KEY] = "SELECT key FROM avatar_key",
    /* one row for each profile there is */
    [STORE_AVATAR_GET] = "SELECT hash FROM profiles LEFT JOIN avatars ON profile_id=id "
                         "LEFT JOIN images ON images.n=image WHERE id=?1",
    [STORE_AVATAR_PUT] = "INSERT INTO avatars (profile_id,image,picture) VALUES (?1,?2,?3) ON CONFLICT "
                         "(profile_id) DO UPDATE SET image=excluded.image,picture=excluded.picture",
    [STORE_AVATAR_PICTURE] = "UPDATE profiles SET picture=?2 WHERE id=?1",
    [STORE_IMAGE_N] = "SELECT n FROM images WHERE hash=?1",
    [STORE_IMAGE_FIND] =
        "SELECT type,iif(?2=0,length(content),"
        "(SELECT length(t.content) FROM thumbnails t WHERE t.image=images.n AND t.size=?2)) FROM images "
        "WHERE hash=?1 AND EXISTS (SELECT 1 FROM avatars JOIN profiles ON id=profile_id "
        "WHERE image=images.n AND state='active')",
    [STORE_IMAGE_INSERT] = "INSERT INTO images (hash,type,content) VALUES (?1,?2,zeroblob(?3))",
    [STORE_THUMBNAIL_N] =
        "SELECT n FROM thumbnails WHERE image=(SELECT n FROM images WHERE hash=?1) AND size=?2",
    [STORE_THUMBNAIL_INSERT] = "INSERT INTO thumbnails (image,size,content) VALUES (?1,?2,?3)",
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
