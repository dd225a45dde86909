package temporalserver

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/schema/sqlite"
	"google.golang.org/protobuf/types/known/durationpb"
	_ "modernc.org/sqlite" // the driver that setupSchema opens files with
)

// retention is how long the history of a finished execution is kept. Records, ledger and case
// files hold what must outlive it.
const retention = 30 * 24 * time.Hour

// store is the server's two SQLite files. Visibility has a file of its own because the plugin
// uses one connection for each file, so that listing does not wait for workflows.
type store struct {
	main       *config.SQL
	visibility *config.SQL
}

func newStore(dir string, fast bool) store {
	synchronous := "FULL"
	if fast {
		synchronous = "NORMAL"
	}
	file := func(name string) *config.SQL {
		path := url.URL{Path: filepath.Join(dir, name)}
		return &config.SQL{
			PluginName: sqliteplugin.PluginName,
			// The plugin puts the name into a file: URI.
			DatabaseName: path.EscapedPath(),
			ConnectAttributes: map[string]string{
				"mode":         "rwc",
				"busy_timeout": "5000",
				"journal_mode": "wal",
				"synchronous":  synchronous,
			},
		}
	}
	return store{main: file("temporal.db"), visibility: file("visibility.db")}
}

// setup makes both files and the namespace where they are missing, and else changes nothing.
func (s store) setup(ctx context.Context, namespace string) error {
	for _, db := range []*config.SQL{s.main, s.visibility} {
		err := setupSchema(ctx, db.DatabaseName)
		if err != nil {
			return fmt.Errorf("set up temporal schema: %w", err)
		}
	}
	ns, err := sqlite.NewNamespaceConfig(clusterName, namespace, false, nil)
	if err != nil {
		return fmt.Errorf("configure temporal namespace: %w", err)
	}
	ns.Detail.Config.Retention = durationpb.New(retention)
	err = sqlite.CreateNamespaces(s.main, ns)
	if err != nil {
		return fmt.Errorf("create temporal namespace: %w", err)
	}
	return nil
}

// setupSchema makes all tables in one transaction, so that a process killed meanwhile leaves
// either an empty file or a whole one.
func setupSchema(ctx context.Context, escapedPath string) (err error) {
	path, err := url.PathUnescape(escapedPath)
	if err != nil {
		return fmt.Errorf("read path: %w", err)
	}
	// SQLite gives its other files the mode of the main one.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("make file: %w", err)
	}
	err = f.Close()
	if err != nil {
		return fmt.Errorf("make file: %w", err)
	}

	db, err := sql.Open("sqlite", "file:"+escapedPath+
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(wal)&_pragma=synchronous(FULL)")
	if err != nil {
		return fmt.Errorf("open file: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()

	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	var tables int
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master WHERE type = 'table'`).Scan(&tables)
	if err != nil {
		return fmt.Errorf("read tables: %w", err)
	}
	if tables > 0 {
		return nil
	}
	err = sqlite.SetupSchemaOnDB(schemaDB{exec: func(stmt string, args ...any) error {
		_, err := tx.ExecContext(ctx, stmt, args...)
		return err
	}})
	if err != nil {
		return fmt.Errorf("make tables: %w", err)
	}
	err = tx.Commit()
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// schemaDB runs the schema's statements with exec; setting a schema up calls no other method.
type schemaDB struct {
	sqlplugin.AdminDB
	exec func(stmt string, args ...any) error
}

// Exec runs one statement of the schema.
func (db schemaDB) Exec(stmt string, args ...any) error { return db.exec(stmt, args...) }
