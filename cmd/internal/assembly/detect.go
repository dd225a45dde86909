package assembly

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"gocloud.dev/blob/memblob"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/detector"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/policy/examples"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review/client"
	"github.com/docket-triage/docket/stream"
	"github.com/docket-triage/docket/worker"
)

// Detect is the role detect with the parts that can be asked how it goes.
type Detect struct {
	*worker.Detect
	Rules    *detector.Rules
	Detector *detector.Detector
	Lines    *stream.Files
}

func (p *Process) startDetect(ctx context.Context) error {
	d, err := p.MakeDetect(ctx, nil)
	if err != nil {
		return err
	}
	p.detect = d
	return p.Begin(ctx, d.Detect)
}

// MakeDetect puts the role detect together without starting it. around may look at the events as
// they pass by; nil for nothing.
func (p *Process) MakeDetect(ctx context.Context, around func(stream.Source) stream.Source) (*Detect, error) {
	c := p.Config.Detect
	log := p.log(config.RoleDetect)
	door, err := p.openDoor(ctx)
	if err != nil {
		return nil, err
	}
	rules, err := loadDetector(c.Rules)
	if err != nil {
		return nil, err
	}
	keyring, err := p.Keyring(ctx)
	if err != nil {
		return nil, err
	}
	index, err := p.Index(ctx)
	if err != nil {
		return nil, err
	}
	seal, err := p.snapshotSeal(keyring)
	if err != nil {
		return nil, err
	}
	d := &Detect{Rules: rules, Detector: detector.New(rules)}
	kept, _, err := d.Detector.LoadFile(c.Snapshot, seal)
	if err != nil {
		return nil, err
	}
	d.Lines, err = p.openLines(ctx, stream.Token(kept.Token))
	if err != nil {
		return nil, err
	}
	var source stream.Source = d.Lines
	if around != nil {
		source = around(source)
	}
	d.Detect = worker.NewDetect(worker.DetectOptions{
		Source: source, Detector: d.Detector, History: index, Door: door,
		Identity: keyring.Identity(), WatchAll: c.WatchAll, Log: log, Resume: stream.Token(kept.Token), Erased: door,
		Rewrite: func(token string) error {
			_, err := os.Stat(c.Snapshot)
			if errors.Is(err, fs.ErrNotExist) {
				return nil // nothing was kept that could be left behind
			}
			return d.Detector.SaveFile(c.Snapshot, token, seal)
		},
		Keep: func(token string) error {
			if d.Counts().Events == 0 {
				return nil // nothing was an event: after a wrong format, the right one reads it all
			}
			return d.Detector.SaveFile(c.Snapshot, token, seal)
		},
	})
	err = p.Metrics.Register(detectMetrics{d.Detect})
	if err != nil {
		return nil, fmt.Errorf("register the counters of the detector: %w", err)
	}
	log.InfoContext(ctx, "reads", "files", len(c.Files), "rules", len(rules.Rules), "version", rules.Version)
	return d, nil
}

// openDoor makes the way to the serve role, and has it say once that it knows the token.
func (p *Process) openDoor(ctx context.Context) (worker.Door, error) {
	token, err := p.Config.Detect.Secret()
	if err != nil {
		return worker.Door{}, err
	}
	cl := &client.Client{Base: p.Config.Detect.Door, Token: token.Reveal()}
	err = p.persist(ctx, "the role serve at "+cl.Base, func() error {
		_, err := cl.Me(ctx)
		return err
	})
	if casefile.ErrorCode(err) == casefile.CodeForbidden {
		return worker.Door{}, casefile.Invalid("detect.token_file", "the role serve at %s does not know this token", cl.Base)
	}
	if err != nil {
		return worker.Door{}, fmt.Errorf("ask the role serve: %w", err)
	}
	return worker.Door{Client: cl}, nil
}

// loadDetector loads a file of detector rules; "" for the example rules.
func loadDetector(path string) (*detector.Rules, error) {
	var r io.Reader = bytes.NewReader(examples.Detector())
	if path != "" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("open the detector's rules: %w", err)
		}
		defer func() { _ = f.Close() }()
		r = f
	}
	rules, err := detector.LoadRules(r)
	if err != nil {
		return nil, fmt.Errorf("load the detector's rules: %w", err)
	}
	return rules, nil
}

// openLines opens the files of events and the file for lines that are none.
func (p *Process) openLines(ctx context.Context, resume stream.Token) (*stream.Files, error) {
	c := p.Config.Detect
	format, err := stream.ParseFormat(c.Format)
	if err != nil {
		return nil, err
	}
	o := stream.Options{Files: c.Files, Format: format, Resume: resume}
	if c.Rejects != "" {
		rejects, err := os.OpenFile(c.Rejects, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, fmt.Errorf("open the reject file: %w", err)
		}
		p.OnStop(func(context.Context) error { return rejects.Close() })
		log := p.log(config.RoleDetect)
		o.Rejects = stream.RejectWriter(rejects, func(error) { log.Error("the reject file cannot be written") })
	}
	// What is being read outlives the start.
	return stream.Open(context.WithoutCancel(ctx), o)
}

// snapshotSeal seals the detector's snapshot, which holds posts, under the deployment key. The role
// needs nothing else of the sealed store, so it is given a store without records and objects.
func (p *Process) snapshotSeal(keyring *evidence.Keyring) (detector.Sealer, error) {
	bucket := memblob.OpenBucket(nil)
	store, err := evidence.Open(evidence.Options{Bucket: bucket, Keyring: keyring, Rows: noRows{}})
	if err != nil {
		return nil, errors.Join(err, bucket.Close())
	}
	p.OnStop(func(context.Context) error { return errors.Join(store.Close(), bucket.Close()) })
	return systemSeal{store}, nil
}

// noRows are the content keys of a role that has no records.
type noRows struct{}

var errNoRows error = casefile.Errorf(casefile.CodeForbidden, "this role opens no account's content")

// PutAccountKey refuses.
func (noRows) PutAccountKey(context.Context, records.WrappedKey) (records.WrappedKey, error) {
	return records.WrappedKey{}, errNoRows
}

// AccountKey refuses.
func (noRows) AccountKey(context.Context, casefile.AccountKey) (records.WrappedKey, error) {
	return records.WrappedKey{}, errNoRows
}

type systemSeal struct{ store *evidence.Store }

// Seal seals under the deployment key.
func (s systemSeal) Seal(plain []byte) ([]byte, error) {
	return s.store.SealSystem(context.Background(), plain)
}

// Open opens what Seal made.
func (s systemSeal) Open(sealed []byte) ([]byte, error) {
	return s.store.OpenSystem(context.Background(), sealed)
}
