package relational_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/records/relational"
)

// asked are the questions about a schema, in each database's own words, whose answers are the same.
var asked = []struct {
	about            string
	sqlite, postgres string
}{
	{
		"tables and columns: type, NOT NULL, default, place in the primary key",
		`SELECT m.name || '.' || p.name || ' ' || p.type || ' ' || p."notnull" || ' ' || COALESCE(p.dflt_value, '-') || ' ' || p.pk
			FROM sqlite_master m JOIN pragma_table_info(m.name) p
			WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'schema_version'`,
		`SELECT c.table_name || '.' || c.column_name || ' ' || CASE c.data_type WHEN 'bigint' THEN 'INTEGER' WHEN 'bytea' THEN 'BLOB'
					WHEN 'text' THEN 'TEXT' ELSE c.data_type END || CASE WHEN c.data_type = 'text' AND c.collation_name IS DISTINCT FROM 'C' THEN '!' ELSE '' END
				|| ' ' || CASE c.is_nullable WHEN 'NO' THEN 1 ELSE 0 END
				|| ' ' || COALESCE(replace(replace(c.column_default, '::text', ''), '::bigint', ''), '-')
				|| ' ' || COALESCE(array_position(i.indkey::int[], c.ordinal_position::int) + 1, 0)
			FROM information_schema.columns c
			LEFT JOIN pg_index i ON i.indrelid = c.table_name::regclass AND i.indisprimary
			WHERE c.table_schema = 'public' AND c.table_name <> 'schema_version'`,
	}, {
		"indices: name, uniqueness, columns and their direction, condition",
		`SELECT m.name || ' ' || CASE l.origin WHEN 'c' THEN l.name ELSE 'constraint' END || ' ' || l."unique" || ' '
				|| (SELECT group_concat(x.name || CASE x."desc" WHEN 1 THEN ' DESC' ELSE '' END, ', ') FROM pragma_index_xinfo(l.name) x WHERE x.key = 1)
				|| CASE l.partial WHEN 1 THEN ' WHERE ' || (SELECT substr(s.sql, instr(s.sql, 'WHERE ') + 6) FROM sqlite_master s WHERE s.name = l.name) ELSE '' END
			FROM sqlite_master m JOIN pragma_index_list(m.name) l
			WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'schema_version' AND l.origin <> 'pk'`,
		`SELECT i.indrelid::regclass || ' ' || CASE WHEN k.oid IS NULL THEN i.indexrelid::regclass::text ELSE 'constraint' END
				|| ' ' || i.indisunique::int || ' '
				|| (SELECT string_agg(pg_get_indexdef(i.indexrelid, n, true) || CASE WHEN i.indoption[n - 1] & 1 = 1 THEN ' DESC' ELSE '' END, ', ' ORDER BY n)
					FROM generate_series(1, i.indnkeyatts) n)
				|| COALESCE(' WHERE ' || pg_get_expr(i.indpred, i.indrelid), '')
			FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid AND c.relnamespace = 'public'::regnamespace
			LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype = 'u'
			WHERE NOT i.indisprimary AND c.relname <> 'schema_version'`,
	}, {
		"foreign keys",
		`SELECT m.name || '.' || f."from" || ' -> ' || f."table" || '.' || f."to"
			FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'`,
		`SELECT k.conrelid::regclass || '.' || a.attname || ' -> ' || k.confrelid::regclass || '.' || b.attname FROM pg_constraint k
			JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
			JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = k.confkey[1] WHERE k.contype = 'f'`,
	}, {
		"how many checks a table has",
		`SELECT name || ' ' || ((length(sql) - length(replace(sql, 'CHECK (', ''))) / length('CHECK ('))
			FROM sqlite_master WHERE type = 'table' AND sql LIKE '%CHECK (%'`,
		`SELECT conrelid::regclass || ' ' || count(*) FROM pg_constraint
			WHERE contype = 'c' AND connamespace = 'public'::regnamespace GROUP BY conrelid`,
	}, {
		"append-only tables",
		`SELECT DISTINCT tbl_name FROM sqlite_master WHERE type = 'trigger'`,
		`SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal`,
	},
}

var (
	oneOf = regexp.MustCompile(`= ANY \(ARRAY\[(.*?)\]\)`)
	cast  = regexp.MustCompile(`::\w+`)
	space = regexp.MustCompile(`[\s()]+`)
)

// plain is a line of an answer without what only one database writes in conditions.
func plain(line string) string {
	line = oneOf.ReplaceAllString(line, "IN ($1)")
	line = cast.ReplaceAllString(line, "")
	return strings.TrimSpace(space.ReplaceAllString(line, " "))
}

// There is one schema, however it is written.
func TestSchemasAreEqual(t *testing.T) {
	t.Parallel()
	lite, post := onSQLite(t), onPostgreSQL(t)
	lite.store()
	post.store()
	for _, q := range asked {
		answer := func(d database, text string) []string {
			var list []string
			for _, line := range d.strings(text) {
				list = append(list, plain(line))
			}
			slices.Sort(list)
			require.NotEmpty(t, list, "%s: %s", d.dialect, q.about)
			return list
		}
		one, other := answer(lite, q.sqlite), answer(post, q.postgres)
		require.Empty(t, without(one, other), "only SQLite: %s", q.about)
		require.Empty(t, without(other, one), "only PostgreSQL: %s", q.about)
	}
}

func without(list, others []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(others, s) })
}

// tables lists what holds records, and is not goose's.
func (d database) tables() []string {
	text := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'schema_version' ORDER BY name"
	if d.dialect == relational.PostgreSQL {
		text = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_version' ORDER BY 1"
	}
	return d.strings(text)
}

// counts says how many rows each table has.
func (d database) counts() map[string]int {
	counts := map[string]int{}
	for _, table := range d.tables() {
		var n int
		require.NoError(d.t, d.db.QueryRowContext(d.t.Context(), fmt.Sprintf("SELECT COUNT(*) FROM %s", table)).Scan(&n))
		counts[table] = n
	}
	return counts
}
