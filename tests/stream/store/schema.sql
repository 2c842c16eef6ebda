-- describe --
-- Everything that a schema holds, a line each, in an order that does not depend on the server's locale.
SELECT line FROM (
    SELECT 1 AS part, format('%%s %%s%%s', CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'view' ELSE 'table' END, relname,
                             ' PARTITION BY ' || pg_get_partkeydef(c.oid)) AS line, relname::text AS a, 0 AS b
    FROM pg_class c WHERE relnamespace = to_regnamespace(%(schema)s) AND relkind IN ('r', 'p', 'v', 'm')
    UNION ALL
    SELECT 1, format('    %%s %%s%%s%%s', attname, format_type(atttypid, atttypmod),
                     CASE WHEN attnotnull THEN ' NOT NULL' END,
                     CASE WHEN attidentity <> '' THEN ' IDENTITY' ELSE ' DEFAULT ' || pg_get_expr(adbin, adrelid) END),
           relname::text, attnum
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = c.oid AND adnum = attnum
    WHERE relnamespace = to_regnamespace(%(schema)s) AND relkind IN ('r', 'p', 'v', 'm') AND attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT 2, pg_get_indexdef(indexrelid), pg_get_indexdef(indexrelid), 0
    FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE relnamespace = to_regnamespace(%(schema)s)
    UNION ALL
    SELECT 3, format('CONSTRAINT %%s ON %%s %%s', conname, conrelid::regclass, pg_get_constraintdef(oid)),
           conrelid::regclass || ' ' || conname, 0
    FROM pg_constraint WHERE connamespace = to_regnamespace(%(schema)s) AND contype NOT IN ('n', 'p', 'u')
    UNION ALL
    SELECT 4, format('FUNCTION %%s(%%s) RETURNS %%s', proname, pg_get_function_arguments(oid), pg_get_function_result(oid)),
           proname || pg_get_function_arguments(oid), 0
    FROM pg_proc WHERE pronamespace = to_regnamespace(%(schema)s)
    UNION ALL
    SELECT 5, pg_get_triggerdef(t.oid), pg_get_triggerdef(t.oid), 0
    FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
    WHERE relnamespace = to_regnamespace(%(schema)s) AND NOT tgisinternal
) AS lines ORDER BY part, a COLLATE "C", b
