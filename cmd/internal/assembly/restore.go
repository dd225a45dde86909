package assembly

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/docket-triage/docket/activities"
	"github.com/docket-triage/docket/backup"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/ledger"
	"github.com/docket-triage/docket/ledger/verify"
	"github.com/docket-triage/docket/workflows"
)

// RestoreOptions say what is restored from where.
type RestoreOptions struct {
	From string // the backup
	Data string // the data folder to make, empty or not there
	Keys string // the keys folder; "" for the one in the backup
	// Log is the log that goes on: the live one or a copy of it, a folder or a URL. "" where its end is lost.
	Log string
	// Lost says that the log's end, behind Log or the backup's copy, is lost for good.
	Lost bool
	// CheckpointCopy is the second place that the log's checkpoints were copied to, or one checkpoint; "" for none.
	CheckpointCopy string
	Logger         *slog.Logger
}

// Restored is what a restore came to.
type Restored struct {
	Backup  backup.Manifest `json:"backup"`
	Origin  string          `json:"origin"` // of the log from now on
	Entries uint64          `json:"entries"`
	// Lost is what the first entry of a log with a new origin says; nil where the log goes on.
	Lost    *casefile.LogRestartedBody `json:"lost,omitempty"`
	Moved   backup.Moved               `json:"moved"`
	Erased  int                        `json:"erased"` // accounts erased again
	KeysNew bool                       `json:"keys_new"`
}

// Restore makes a standalone data folder of a backup and the log. Nothing is served before it has ended: the
// folder's format is written last, without which no start takes it.
func Restore(ctx context.Context, o RestoreOptions) (Restored, error) {
	r := &restoring{RestoreOptions: o, cfg: DataFolder(o.Data)}
	if o.Log == "" && !o.Lost {
		return Restored{}, casefile.Invalid("log", "name the log that goes on, or its copy, with --log; a log is never rolled back. If what it held since the backup is lost for good, say so with --log-lost")
	}
	for _, step := range []func(context.Context) error{r.check, r.place, r.log, r.moveOn, r.eraseAgain, r.open} {
		err := step(ctx)
		if err != nil {
			return r.out, fmt.Errorf("restore: %w", err)
		}
	}
	return r.out, nil
}

type restoring struct {
	RestoreOptions
	cfg config.Config
	out Restored

	logKey string // of the log that is found
	old    verify.Source
	kept   verify.Checkpoint // of the log that is found
}

func (r *restoring) check(ctx context.Context) error {
	report, err := CheckBackup(ctx, r.From, "")
	if err == nil {
		err = report.Err()
	}
	if err != nil {
		return err
	}
	r.out.Backup = report.Manifest
	if !report.Manifest.Evidence {
		return casefile.Errorf(casefile.CodeState, "the backup is without the sealed store, which is a bucket: a data folder cannot be made of it")
	}
	if r.Keys == "" && !report.Manifest.Keys {
		return casefile.Invalid("keys", "the backup holds no keys: name the folder where they are kept with --keys")
	}
	if r.Keys == "" {
		r.Keys = filepath.Join(r.From, backup.KeysDir)
	}
	own, err := os.ReadFile(filepath.Join(r.From, backup.LogKeyFile))
	if err != nil {
		return fmt.Errorf("read the backup's log key: %w", err)
	}
	r.logKey = strings.TrimSpace(string(own))
	return r.findLog(ctx)
}

// findLog checks the log that is named: it must begin with all that the backup's holds, and with what the
// checkpoints of the second place cover, unless its end is lost.
func (r *restoring) findLog(ctx context.Context) error {
	r.old = verify.Dir(filepath.Join(r.From, backup.LedgerDir))
	if r.Log != "" {
		live, err := verify.Open(r.Log)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(filepath.Join(r.From, backup.LedgerDir, "checkpoint"))
		if err != nil {
			return fmt.Errorf("read the backup's checkpoint: %w", err)
		}
		_, err = verify.Consistency(ctx, string(text), live, r.logKey)
		if err != nil {
			return fmt.Errorf("the log in %s does not begin with the backup's: %w", r.Log, err)
		}
		r.old = live
	}
	report, err := verify.Log(ctx, r.old, r.logKey, verify.Options{})
	if err == nil {
		err = report.Err()
	}
	if err != nil {
		return fmt.Errorf("check the log: %w", err)
	}
	r.kept = report.Checkpoint
	if r.CheckpointCopy == "" || r.Lost {
		return nil
	}
	kept, err := verify.Kept(r.CheckpointCopy, r.logKey)
	if err != nil {
		return err
	}
	for _, k := range kept {
		_, err = verify.Consistency(ctx, k.Text, r.old, r.logKey)
		if err != nil {
			return fmt.Errorf("the end of the log is missing, by the checkpoint kept in %s (if it is lost for good, say so with --log-lost): %w", k.File, err)
		}
	}
	return nil
}

// place puts the copied stores in the data folder.
func (r *restoring) place(ctx context.Context) error {
	err := backup.EmptyFolder(r.Data)
	if err != nil {
		return err
	}
	for from, to := range map[string]string{
		filepath.Join(r.From, backup.RecordsFile): r.cfg.Records.SQLite, filepath.Join(r.From, backup.EvidenceDir): r.cfg.Evidence.Dir,
		filepath.Join(r.From, backup.SnapshotFile): r.cfg.Detect.Snapshot, r.Keys: r.cfg.Keys.Dir,
	} {
		err = backup.CopyTree(ctx, from, to)
		// There may be no snapshot, and nothing sealed yet: Check has found everything that there was.
		optional := to == r.cfg.Detect.Snapshot || to == r.cfg.Evidence.Dir
		if err != nil && !(errors.Is(err, fs.ErrNotExist) && optional) {
			return fmt.Errorf("put %s in its place: %w", filepath.Base(to), err)
		}
	}
	keyring, err := r.process().Keyring(ctx)
	if err != nil {
		return err
	}
	if keyring.Identity().Fingerprint() != r.out.Backup.Identity {
		return casefile.Invalid("keys", "the identity key in %s is not the one that the backup's records were written with", r.Keys)
	}
	return keyring.Close()
}

func (r *restoring) process() *Process {
	return New(r.cfg, r.Logger, config.RoleLedger, config.RoleServe, config.RoleWork)
}

// log puts the log in the data folder: the one that goes on, or one that takes its place.
func (r *restoring) log(ctx context.Context) error {
	if r.Lost {
		return r.newLog(ctx)
	}
	signer, err := r.signer(ctx)
	if err != nil {
		return err
	}
	_, state := os.Stat(filepath.Join(r.Log, ".state", "treeState"))
	if state == nil {
		return r.copyLive(ctx)
	}
	size, err := ledger.Carry(ctx, ledger.Options{Dir: r.cfg.Ledger.Dir, Signer: signer, Logger: r.Logger}, r.entries(ctx, nil))
	if err == nil && size != r.kept.Size {
		err = casefile.Errorf(casefile.CodeInternal, "%d of %d entries were carried over", size, r.kept.Size)
	}
	return err
}

// copyLive copies a writer's folder, with what no checkpoint covers yet. Its writer must not run.
func (r *restoring) copyLive(ctx context.Context) error {
	lock, err := os.Open(filepath.Join(r.Log, "writer.lock"))
	if err == nil {
		defer func() { _ = lock.Close() }()
		err = syscall.Flock(int(lock.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return casefile.Errorf(casefile.CodeState, "a process writes the log in %s: stop it first", r.Log)
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look whether anybody writes the log: %w", err)
	}
	err = backup.CopyTree(ctx, r.Log, r.cfg.Ledger.Dir, "events.sqlite", "events.sqlite-wal", "events.sqlite-shm", "writer.lock")
	if err != nil {
		return fmt.Errorf("copy the log: %w", err)
	}
	return nil
}

func (r *restoring) signer(ctx context.Context) (note.Signer, error) {
	p := r.process()
	defer func() { _ = p.Stop(context.WithoutCancel(ctx)) }()
	return p.signer(ctx)
}

// entries are first, if any, and then all of the log that was found.
func (r *restoring) entries(ctx context.Context, first *casefile.FixedEntry) iter.Seq2[casefile.FixedEntry, error] {
	errStop := errors.New("enough")
	return func(yield func(casefile.FixedEntry, error) bool) {
		if first != nil && !yield(*first, nil) {
			return
		}
		err := verify.Entries(ctx, r.old, r.logKey, func(t verify.TailEntry) error {
			data, err := casefile.Canonical(t.Entry)
			if err != nil {
				return err
			}
			if !yield(casefile.FixedEntry{Event: t.Entry.Event, Data: data}, nil) {
				return errStop
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(casefile.FixedEntry{}, err)
		}
	}
}

// newLog starts a log under a key of its own, which says in its first entry whose place it takes.
func (r *restoring) newLog(ctx context.Context) error {
	last := r.kept
	if r.CheckpointCopy != "" {
		kept, err := verify.Kept(r.CheckpointCopy, r.logKey)
		if err != nil {
			return err
		}
		if k := kept[len(kept)-1]; k.Size > last.Size {
			last = k.Checkpoint
		}
	}
	body := casefile.LogRestartedBody{
		Origin: last.Origin, Size: last.Size, Root: hex.EncodeToString(last.Root[:]),
		Carried: r.kept.Size, CarriedRoot: hex.EncodeToString(r.kept.Root[:]),
	}
	id := casefile.NewID()
	first, err := casefile.FixLogRestarted(id, body, time.Now())
	if err != nil {
		return err
	}
	name, _, _ := strings.Cut(last.Origin, "/restarted-")
	err = evidence.ReplaceLogKey(r.cfg.Keys.Dir, name+"/restarted-"+strings.ToLower(id[:10]))
	if err != nil {
		return err
	}
	r.out.Lost, r.out.KeysNew = &body, true
	signer, err := r.signer(ctx)
	if err != nil {
		return err
	}
	_, err = ledger.Carry(ctx, ledger.Options{Dir: r.cfg.Ledger.Dir, Signer: signer, Logger: r.Logger}, r.entries(ctx, &first))
	return err
}

// moveOn brings the restored records up to the log.
func (r *restoring) moveOn(ctx context.Context) (err error) {
	p := r.process()
	defer func() { err = errors.Join(err, p.Stop(context.WithoutCancel(ctx))) }()
	store, err := p.Records(ctx)
	if err != nil {
		return err
	}
	sealer, err := p.Sealer(ctx)
	if err != nil {
		return err
	}
	keyring, err := p.Keyring(ctx)
	if err != nil {
		return err
	}
	signer, err := p.signer(ctx)
	if err != nil {
		return err
	}
	opened, err := ledger.Open(ctx, ledger.Options{Dir: r.cfg.Ledger.Dir, Signer: signer, Logger: r.Logger})
	if err != nil {
		return err
	}
	p.OnStop(opened.Close)
	key, err := p.verifierKey()
	if err != nil {
		return err
	}
	r.out.Origin = signer.Name()
	r.out.Entries, err = opened.Size(ctx)
	if err != nil {
		return err
	}
	if r.out.Entries > 0 { // what no checkpoint covered yet is read as well
		_, err = opened.Prove(ctx, r.out.Entries-1)
		if err != nil {
			return err
		}
	}
	work := &activities.Work{Records: store, Sealer: sealer, Identity: keyring.Identity(), Log: r.Logger, Now: time.Now}
	m := &backup.Mover{
		Records: store, Prove: opened.Prove, Lost: r.Lost, Now: time.Now,
		Finish: func(ctx context.Context, d casefile.Decision, state casefile.DecisionState, why string) error {
			return work.Finish(ctx, workflows.FinishAsk{Decision: d, State: state, Why: why})
		},
		FinishUndo: func(ctx context.Context, d casefile.Decision, appeal string, state casefile.AppealState, why string) error {
			return work.FinishUndo(ctx, workflows.FinishUndoAsk{Decision: d, Appeal: appeal, State: state, Why: why})
		},
	}
	r.out.Moved, err = m.MoveOn(ctx, verify.Dir(r.cfg.Ledger.Dir), key)
	if err != nil {
		return err
	}
	err = store.RequeueIndex(ctx)
	if err != nil {
		return fmt.Errorf("have the index written again: %w", err)
	}
	return nil
}

func (r *restoring) eraseAgain(ctx context.Context) (err error) {
	p := r.process()
	defer func() { err = errors.Join(err, p.Stop(context.WithoutCancel(ctx))) }()
	r.out.Erased, err = p.ReapplyErasures(ctx, verify.Dir(r.cfg.Ledger.Dir))
	return err
}

// open writes the folder's format: from now on a start takes it.
func (r *restoring) open(context.Context) error {
	return backup.WriteSynced(filepath.Join(r.Data, "format.json"), []byte(DataFolderFormat))
}

// DataFolderFormat is the content of the file without which a standalone start takes no folder.
const DataFolderFormat = `{"format":2}`
