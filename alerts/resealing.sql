-- left --
-- Rows where something is sealed with another key than the one of this number.
SELECT count(*) FROM {table} WHERE {stale}

-- stale --
-- A batch of them in the order of their keys, held until they are written anew: whoever writes them meanwhile comes after.
SELECT {key}::text AS key, {columns} FROM {table}
 WHERE {key}::text COLLATE "C" > %(after)s AND ({stale}) ORDER BY {key}::text COLLATE "C" LIMIT %(many)s FOR UPDATE

-- reseal --
UPDATE {table} SET {assignments} WHERE {key}::text = %(key)s
