package verify

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/docket-triage/docket/casefile"
)

// testKey is a log's key pair.
type testKey struct {
	signer note.Signer
	vkey   string
}

func newKey(tb testing.TB, name string) testKey {
	tb.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, name)
	require.NoError(tb, err)
	signer, err := note.NewSigner(skey)
	require.NoError(tb, err)
	return testKey{signer: signer, vkey: vkey}
}

// sign makes a checkpoint.
func (k testKey) sign(tb testing.TB, origin string, size int, root tlog.Hash) string {
	tb.Helper()
	signed, err := note.Sign(&note.Note{Text: fmt.Sprintf("%s\n%d\n%s\n", origin, size, root)}, k.signer)
	require.NoError(tb, err)
	return string(signed)
}

// testLog is a log made by hand: its tree is right whatever its entries say.
type testLog struct {
	dir     string
	key     testKey
	entries [][]byte
	rows    [][]tlog.Hash // hashes by level of tiles
}

const testOrigin = "ledger.test.example/log"

func buildLog(tb testing.TB, entries [][]byte) *testLog {
	tb.Helper()
	l := &testLog{dir: tb.TempDir(), key: newKey(tb, testOrigin), entries: entries}
	l.write(tb)
	return l
}

// write writes every file that a log of the entries has.
func (l *testLog) write(tb testing.TB) {
	tb.Helper()
	row := make([]tlog.Hash, len(l.entries))
	for i, e := range l.entries {
		row[i] = tlog.RecordHash(e)
	}
	l.rows = nil
	for len(row) > 0 {
		l.rows = append(l.rows, row)
		var up []tlog.Hash
		for i := 0; i+tileWidth <= len(row); i += tileWidth {
			up = append(up, subtree(row[i:i+tileWidth]))
		}
		row = up
	}
	for n := 0; n*tileWidth < len(l.entries); n++ {
		l.put(tb, l.file(entryLevel, n), l.bundle(n, len(l.entries)))
	}
	for level, row := range l.rows {
		for n := 0; n*tileWidth < len(row); n++ {
			l.put(tb, l.file(level, n), hashBytes(row[n*tileWidth:min(len(row), (n+1)*tileWidth)]))
		}
	}
	l.put(tb, checkpointFile, []byte(l.checkpoint(tb)))
}

func (l *testLog) root() tlog.Hash { return l.rootOf(len(l.entries)) }

// rootOf is the root of the log's first size entries, computed the slow way.
func (l *testLog) rootOf(size int) tlog.Hash {
	return slowRoot(l.entries[:size])
}

func slowRoot(entries [][]byte) tlog.Hash {
	switch len(entries) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return tlog.RecordHash(entries[0])
	}
	k := 1
	for 2*k < len(entries) {
		k *= 2
	}
	return tlog.NodeHash(slowRoot(entries[:k]), slowRoot(entries[k:]))
}

func (l *testLog) checkpoint(tb testing.TB) string {
	tb.Helper()
	return l.key.sign(tb, testOrigin, len(l.entries), l.root())
}

// file is the path of the nth tile of a level.
func (l *testLog) file(level, n int) string {
	return tilePath(level, int64(n), widthOf(level, int64(n), uint64(len(l.entries))))
}

// bundle is the nth entry bundle of a log of size entries.
func (l *testLog) bundle(n, size int) []byte {
	var out []byte
	for _, e := range l.entries[n*tileWidth : min(size, (n+1)*tileWidth)] {
		out = binary.BigEndian.AppendUint16(out, uint16(len(e)))
		out = append(out, e...)
	}
	return out
}

func hashBytes(row []tlog.Hash) []byte {
	var out []byte
	for _, h := range row {
		out = append(out, h[:]...)
	}
	return out
}

func (l *testLog) put(tb testing.TB, path string, data []byte) {
	tb.Helper()
	full := filepath.Join(l.dir, path)
	require.NoError(tb, os.MkdirAll(filepath.Dir(full), 0o755))
	require.NoError(tb, os.WriteFile(full, data, 0o600))
}

func (l *testLog) get(tb testing.TB, path string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join(l.dir, path))
	require.NoError(tb, err)
	return data
}

func (l *testLog) remove(tb testing.TB, path string) {
	tb.Helper()
	require.NoError(tb, os.Remove(filepath.Join(l.dir, path)))
}

// bundleOf is the proof of the entry at index.
func (l *testLog) bundleOf(tb testing.TB, index int) casefile.Bundle {
	tb.Helper()
	stored := map[int64]tlog.Hash{}
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			out[i] = stored[x]
		}
		return out, nil
	})
	for i, e := range l.entries {
		hashes, err := tlog.StoredHashes(int64(i), e, reader)
		require.NoError(tb, err)
		for j, h := range hashes {
			stored[tlog.StoredHashIndex(0, int64(i))+int64(j)] = h
		}
	}
	proof, err := tlog.ProveRecord(int64(len(l.entries)), int64(index), reader)
	require.NoError(tb, err)
	b := casefile.Bundle{Format: casefile.BundleFormat, Entry: l.entries[index], Index: uint64(index), Checkpoint: l.checkpoint(tb)}
	for _, h := range proof {
		b.Path = append(b.Path, h[:])
	}
	return b
}

// verify checks the log in its folder.
func (l *testLog) verify(tb testing.TB) Report {
	tb.Helper()
	report, err := Log(tb.Context(), Dir(l.dir), l.key.vkey, Options{})
	require.NoError(tb, err)
	return report
}

// chain writes the entries of one chain.
type chain struct {
	name string
	seq  int
	prev string
}

var testTime = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)

// position is that of the chain's next entry.
func (c *chain) position() casefile.Position {
	return casefile.Position{
		Event: casefile.NewEventID(c.name, c.seq+1), Prev: c.prev,
		At: testTime.Add(time.Duration(c.seq) * time.Second),
	}
}

// took moves the chain past an entry.
func (c *chain) took(data []byte) []byte {
	c.seq++
	c.prev = casefile.EntryHash(data)
	return data
}

// plain makes the chain's next entry, about nothing in particular.
func (c *chain) plain(tb testing.TB) []byte {
	tb.Helper()
	body := json.RawMessage(fmt.Sprintf(`{"digest":"%064d","subject":"[placeholder] of %s"}`, c.seq, c.name))
	fixed, err := casefile.FixBody(casefile.EntryPolicy, casefile.System, c.position(), body)
	require.NoError(tb, err)
	return c.took(fixed.Data)
}

// draft makes the chain's next entry from a draft.
func (c *chain) draft(tb testing.TB, d casefile.Draft, cause string) []byte {
	tb.Helper()
	pos := c.position()
	pos.Cause = cause
	fixed, err := casefile.FixEntry(d, pos, testSalts{}, casefile.AccountRef{Platform: "test", ID: "a-1"})
	require.NoError(tb, err)
	return c.took(fixed.Data)
}

// testSalts gives the salts of a made-up account.
type testSalts struct{}

// Salt is an HMAC of the event and the label.
func (testSalts) Salt(event casefile.EventID, label string) []byte {
	mac := hmac.New(sha256.New, []byte("key of a made-up account"))
	mac.Write([]byte(string(event) + "\x00" + label))
	return mac.Sum(nil)
}

// plainEntries are n entries over chains of uneven length.
func plainEntries(tb testing.TB, n int) [][]byte {
	tb.Helper()
	chains := make([]chain, max(1, n/5))
	for i := range chains {
		chains[i].name = fmt.Sprintf("case.%05d-TEST0", i)
	}
	out := make([][]byte, n)
	for i := range out {
		out[i] = chains[i*i%len(chains)].plain(tb)
	}
	return out
}

// decided are the entries of one decided case and the decision they hold.
func decided(tb testing.TB, c *chain) (entries [][]byte, decision casefile.Decision) {
	tb.Helper()
	judgement := casefile.Judgement{
		Action: casefile.L6, Policies: []casefile.PolicyCode{casefile.VE08}, EntityTier: casefile.E2,
		Mitigations: map[casefile.Mitigation]casefile.Answer{},
	}
	for _, m := range casefile.Mitigations {
		judgement.Mitigations[m] = casefile.AnswerNo
	}
	decision = casefile.Decision{
		ID: "DECISION" + c.name[len(c.name)-5:], Case: "00000-TEST0", Platform: "test", Judgement: judgement,
		DecidedBy: casefile.ByTwoOpinions, DecidedAt: testTime, EvidenceRevision: 1, RuleSet: "rules-1",
	}
	for _, person := range []casefile.Person{"p-aaaaaaaa", "p-bbbbbbbb"} {
		o := casefile.Opinion{
			ID: "OPINION-" + string(person), Person: person, Role: casefile.RoleReviewer, At: testTime,
			EvidenceRevision: 1, Digest: "digest of [placeholder]",
		}
		o.Judgement = judgement
		decision.OpinionEvents = append(decision.OpinionEvents, casefile.NewEventID(c.name, c.seq+1))
		decision.Opinions = append(decision.Opinions, o)
		entries = append(entries, c.draft(tb, casefile.Draft{Type: casefile.EntryOpinion, Actor: casefile.Actor{Person: person, Role: casefile.RoleReviewer}, Opinion: &o}, ""))
	}
	return append(entries, c.draft(tb, casefile.Draft{Type: casefile.EntryDecision, Actor: casefile.System, Decision: &decision}, "")), decision
}
