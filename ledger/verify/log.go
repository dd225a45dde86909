package verify

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/mod/sumdb/tlog"
)

// checkpointFile is the checkpoint's path in a tlog-tiles log.
const checkpointFile = "checkpoint"

// DefaultMaxFaults is how many faults a check lists before it stops.
const DefaultMaxFaults = 10_000

// Options say how a log is checked. The zero value is good.
type Options struct {
	Workers   int // entry bundles read at once; 0 means one per processor
	MaxFaults int // after so many the check stops; 0 means DefaultMaxFaults
	// Progress is called now and then with how many of the log's entries have been checked, from
	// one goroutine at a time; nil for none.
	Progress func(done, size uint64)
	// Entry is called with every entry that the log's tree covers, in the log's order, from one
	// goroutine; nil for none. Its body is good until the call returns. What is at fault is left out.
	Entry func(TailEntry)
}

// errEnough ends a check that found too many faults.
var errEnough = errors.New("too many faults")

// Log checks a whole log against a pinned key: the checkpoint's signature and origin; every entry
// bundle and every tile of hashes, up to the checkpoint's root; every entry's form; every chain for
// gaps and forks (the same entry logged twice counts as one); that a takedown names its decision's
// entry; and that a decision opens its opinions as they were given. What is wrong with the log is
// in the report, all of it, with the file named; a checkpoint that does not hold ends the check.
// The error is for what kept it from being checked: CodeInvalid for the key, CodeUnavailable for a
// source that cannot be read, ctx's own.
//
// It goes through the log once and keeps a hash per entry, not the entries.
func Log(ctx context.Context, src Source, vkey string, opts Options) (Report, error) {
	if opts.Workers <= 0 {
		opts.Workers = runtime.GOMAXPROCS(0)
	}
	if opts.MaxFaults <= 0 {
		opts.MaxFaults = DefaultMaxFaults
	}
	report := Report{Faults: []Fault{}}
	checkpoint, fault, err := readCheckpoint(ctx, src, vkey)
	if err != nil {
		return report, fmt.Errorf("verify log: %w", err)
	}
	if fault != nil {
		report.Faults = append(report.Faults, *fault)
		return report, nil
	}
	report.Checkpoint = checkpoint
	err = checkLog(ctx, src, checkpoint, opts, &report)
	if errors.Is(err, errEnough) {
		report.Stopped = true
		return report, nil
	}
	if err != nil {
		return report, fmt.Errorf("verify log: %w", err)
	}
	return report, nil
}

func readCheckpoint(ctx context.Context, src Source, vkey string) (Checkpoint, *Fault, error) {
	raw, err := src.Read(ctx, checkpointFile, maxCheckpointBytes)
	fault, err := readFault(checkpointFile, err)
	if fault != nil || err != nil {
		return Checkpoint{}, fault, err
	}
	c, err := OpenCheckpoint(string(raw), vkey)
	if isUnproven(err) {
		return Checkpoint{}, &Fault{Kind: FaultCheckpoint, File: checkpointFile, What: err.Error()}, nil
	}
	return c, nil, err
}

// checkLog checks everything below the checkpoint.
func checkLog(ctx context.Context, src Source, checkpoint Checkpoint, opts Options, report *Report) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	add := func(f Fault) { report.Faults = append(report.Faults, f) }
	chains := newChainCheck(add)
	tree := &treeCheck{src: src, report: add}
	restarts := &restartCheck{fault: chains.fault}
	defer func() {
		report.Entries, report.Repeats = chains.entries, chains.repeats
		report.Chains, report.Decisions = len(chains.chains), len(chains.decisions)
		report.Restarted = restarts.first()
	}()
	for result := range readBundles(ctx, src, checkpoint.Size, opts) {
		b := <-result
		if b.err != nil {
			return b.err
		}
		report.Faults = append(report.Faults, b.faults...)
		checkChains(chains, restarts, b, opts.Entry)
		err := tree.addBundle(ctx, b)
		if err != nil {
			return err
		}
		if len(report.Faults) >= opts.MaxFaults {
			return errEnough
		}
		if opts.Progress != nil {
			opts.Progress(b.first()+uint64(b.width), checkpoint.Size)
		}
	}
	err := ctx.Err()
	if err != nil {
		return err
	}
	restarts.finish()
	return tree.finish(ctx, checkpoint)
}

// checkChains hands a bundle's entries on, those left out that are not the tree's own.
func checkChains(chains *chainCheck, restarts *restartCheck, b *bundleResult, entry func(TailEntry)) {
	for i := range b.entries {
		if b.stored != nil && b.stored[i] != b.leaves[i] {
			chains.lose(1)
			restarts.lost = true
			continue
		}
		v := &b.entries[i]
		chains.add(v)
		restarts.add(v, b.leaves[i])
		if entry != nil && v.err == nil {
			entry(TailEntry{Index: v.index, Hash: hex.EncodeToString(v.hash[:]), Entry: v.entry})
		}
	}
	chains.lose(b.width - len(b.entries))
	restarts.lost = restarts.lost || b.width > len(b.entries)
}

// bundleResult is one entry bundle, read and hashed, with the tile of hashes above it.
type bundleResult struct {
	n           int64
	width       int
	entriesFile string
	tileFile    string
	leaves      []tlog.Hash // as far as the bundle could be read; nil if not at all
	entries     []entryView // as many as leaves
	stored      []tlog.Hash // the tile's; nil if unreadable
	faults      []Fault
	err         error // what keeps the check from going on
}

// first is the index of the bundle's first entry.
func (b *bundleResult) first() uint64 { return uint64(b.n) * tileWidth }

// readBundles reads a log's bundles several at a time and gives the results in the log's order.
func readBundles(ctx context.Context, src Source, size uint64, opts Options) <-chan chan *bundleResult {
	ordered := make(chan chan *bundleResult, 4*opts.Workers)
	go func() {
		defer close(ordered)
		slots := make(chan struct{}, opts.Workers)
		var wg sync.WaitGroup
		defer wg.Wait()
		for n := int64(0); uint64(n)*tileWidth < size; n++ {
			result := make(chan *bundleResult, 1)
			select {
			case ordered <- result:
			case <-ctx.Done():
				return
			}
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				result <- readBundle(ctx, src, n, widthOf(entryLevel, n, size))
			})
		}
	}()
	return ordered
}

func readBundle(ctx context.Context, src Source, n int64, width int) *bundleResult {
	b := &bundleResult{n: n, width: width}
	var fault *Fault
	b.stored, b.tileFile, fault, b.err = readHashes(ctx, src, 0, n, width)
	if b.err != nil {
		return b
	}
	if fault != nil {
		b.faults = append(b.faults, *fault)
	}
	var data []byte
	var err error
	data, b.entriesFile, err = readTile(ctx, src, entryLevel, n, width)
	fault, b.err = readFault(b.entriesFile, err)
	if b.err != nil {
		return b
	}
	if fault != nil {
		b.faults = append(b.faults, *fault)
		return b
	}
	entries, err := parseEntries(data)
	if err == nil && len(entries) < width {
		err = fmt.Errorf("holds %d entries instead of %d", len(entries), width)
	}
	if err != nil {
		b.faults = append(b.faults, Fault{Kind: FaultFormat, File: b.entriesFile, What: err.Error()})
	}
	b.hash(entries[:min(len(entries), width)])
	b.err = b.checkLeftovers(ctx, src)
	return b
}

func (b *bundleResult) hash(entries [][]byte) {
	b.leaves = make([]tlog.Hash, len(entries))
	b.entries = make([]entryView, len(entries))
	for i, data := range entries {
		b.leaves[i] = tlog.RecordHash(data)
		b.entries[i] = viewEntry(data)
		b.entries[i].file, b.entries[i].index = b.entriesFile, b.first()+uint64(i)
	}
}

// checkLeftovers compares the bundle's other partial files, which the checkpoint does not need,
// with it, if it is sure itself.
func (b *bundleResult) checkLeftovers(ctx context.Context, src Source) error {
	lister, ok := src.(leftovers)
	if !ok || !slices.Equal(b.leaves, b.stored) {
		return nil
	}
	widths, err := lister.widths(entryLevel, b.n)
	if err != nil {
		return err
	}
	for _, w := range widths {
		file := tilePath(entryLevel, b.n, w)
		if file == b.entriesFile || w > b.width {
			continue
		}
		data, err := src.Read(ctx, file, maxEntriesBytes)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the writer tidied it away meanwhile
		}
		fault, err := readFault(file, err)
		if err != nil {
			return err
		}
		if fault != nil {
			b.faults = append(b.faults, *fault)
			continue
		}
		entries, err := parseEntries(data)
		same := err == nil && len(entries) == w
		for i := 0; same && i < w; i++ {
			same = tlog.RecordHash(entries[i]) == b.leaves[i]
		}
		if !same {
			b.faults = append(b.faults, Fault{Kind: FaultHash, File: file, What: "its entries are not those of the bundle that took its place"})
		}
	}
	return nil
}
