package verify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/docket-triage/docket/casefile"
)

func TestLogOfAnySize(t *testing.T) {
	t.Parallel()
	entries := plainEntries(t, 769)
	for _, size := range []int{0, 1, 2, 3, 255, 256, 257, 300, 512, 769} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			l := buildLog(t, entries[:size])
			server := httptest.NewServer(http.FileServer(http.Dir(l.dir)))
			t.Cleanup(server.Close)
			for _, where := range []string{l.dir, server.URL} {
				src, err := Open(where)
				require.NoError(t, err)
				var done uint64
				report, err := Log(t.Context(), src, l.key.vkey, Options{Workers: 3, Progress: func(d, size uint64) { done = d }})
				require.NoError(t, err)
				require.Empty(t, report.Faults)
				require.NoError(t, report.Err())
				require.Equal(t, uint64(size), report.Entries)
				require.Equal(t, uint64(size), done)
				require.Equal(t, Checkpoint{Origin: testOrigin, Size: uint64(size), Root: l.root()}, report.Checkpoint)
			}
		})
	}
}

// files are the faults' files, each once.
func files(faults []Fault) []string {
	var out []string
	for _, f := range faults {
		if !slices.Contains(out, f.File) {
			out = append(out, f.File)
		}
	}
	return out
}

func TestPromise12AFlippedByteIsFoundAndItsFileNamed(t *testing.T) {
	t.Parallel()
	l := buildLog(t, plainEntries(t, 300))
	// Partial files that growth left behind are no longer needed, but are checked all the same.
	l.put(t, "tile/entries/000.p/100", l.bundle(0, 100))
	l.put(t, "tile/entries/001.p/7", l.bundle(1, tileWidth+7))
	l.put(t, "tile/0/000.p/100", hashBytes(l.rows[0][:100]))
	l.put(t, "tile/0/001.p/7", hashBytes(l.rows[0][tileWidth:tileWidth+7]))
	require.Empty(t, l.verify(t).Faults)
	for _, file := range []string{
		"checkpoint",
		"tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1",
		"tile/entries/000", "tile/entries/001.p/44",
		"tile/0/000.p/100", "tile/0/001.p/7", "tile/entries/000.p/100", "tile/entries/001.p/7",
	} {
		good := l.get(t, file)
		step := max(1, len(good)/16)
		for at := 0; at < len(good); at = next(at, step, len(good)) {
			bad := bytes.Clone(good)
			bad[at] ^= 1 << (at % 8)
			l.put(t, file, bad)
			report := l.verify(t)
			require.Equal(t, []string{file}, files(report.Faults), "byte %d of %s: %v", at, file, report.Faults)
			require.Equal(t, casefile.CodeUnproven, casefile.ErrorCode(report.Err()))
		}
		l.put(t, file, good)
	}
	require.Empty(t, l.verify(t).Faults)
}

// next steps through a file and ends with its last byte.
func next(at, step, size int) int {
	if at < size-1 && at+step >= size {
		return size - 1
	}
	return at + step
}

func TestLogWithThreeLevelsNamesTheTileAtFault(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs a log of more than 65,536 entries")
	}
	c := chain{name: "case.00000-TEST0"}
	entries := make([][]byte, tileWidth*tileWidth+300)
	for i := range entries {
		entries[i] = c.plain(t)
	}
	l := buildLog(t, entries)
	require.Empty(t, l.verify(t).Faults)
	for _, file := range []string{"tile/2/000.p/1", "tile/1/000", "tile/1/001.p/1", "tile/0/007", "tile/entries/200"} {
		good := l.get(t, file)
		bad := bytes.Clone(good)
		bad[len(bad)/2] ^= 4
		l.put(t, file, bad)
		require.Equal(t, []string{file}, files(l.verify(t).Faults), file)
		l.put(t, file, good)
	}
}

func TestLogWithSeveralFaultsNamesThemAll(t *testing.T) {
	t.Parallel()
	l := buildLog(t, plainEntries(t, 1100))
	damaged := []string{"tile/0/000", "tile/entries/002", "tile/entries/003", "tile/1/000.p/4", "tile/entries/004.p/76"}
	for _, file := range damaged {
		data := l.get(t, file)
		data[5] ^= 1
		if file == "tile/1/000.p/4" {
			data[5] ^= 1
			data[tlog.HashSize] ^= 1 // the hash of tile/0/001, which is whole
		}
		l.put(t, file, data)
	}
	require.ElementsMatch(t, damaged, files(l.verify(t).Faults))
}

func TestLogWithMissingOrTruncatedFiles(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"checkpoint", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			l := buildLog(t, plainEntries(t, 300))
			good := l.get(t, file)
			l.put(t, file, good[:len(good)-1])
			faults := l.verify(t).Faults
			require.Equal(t, []string{file}, files(faults))
			l.put(t, file, append(bytes.Clone(good), bytes.Repeat([]byte{0}, 20<<20)...))
			require.Equal(t, []string{file}, files(l.verify(t).Faults))
			l.remove(t, file)
			faults = l.verify(t).Faults
			require.Equal(t, []string{file}, files(faults))
			require.Equal(t, FaultMissing, faults[0].Kind)
		})
	}
}

func TestLogTruncatedBelowItsCheckpoint(t *testing.T) {
	t.Parallel()
	entries := plainEntries(t, 600)
	l := buildLog(t, entries)
	checkpoint := l.checkpoint(t)
	l.remove(t, "tile/entries/002.p/88")
	l.remove(t, "tile/0/002.p/88")
	report := l.verify(t)
	require.ElementsMatch(t, []string{"tile/entries/002.p/88", "tile/0/002.p/88"}, files(report.Faults))

	shorter := buildLog(t, entries[:550])
	shorter.key = l.key
	shorter.put(t, checkpointFile, []byte(checkpoint))
	require.ElementsMatch(t, []string{"tile/entries/002.p/88", "tile/0/002.p/88", "tile/1/000.p/2"}[:2], files(shorter.verify(t).Faults))
}

func TestLogWithAFileOfALongerLogIsRead(t *testing.T) {
	t.Parallel()
	entries := plainEntries(t, 512)
	l := buildLog(t, entries)
	// The checkpoint is of 300 entries; the log has grown, and the partial files of then are gone.
	l.put(t, checkpointFile, []byte(l.key.sign(t, testOrigin, 300, l.rootOf(300))))
	l.put(t, "tile/1/000.p/1", hashBytes(l.rows[1][:1]))
	report := l.verify(t)
	require.Empty(t, report.Faults)
	require.Equal(t, uint64(300), report.Entries)
}

func TestPromise12RewrittenFilesAreFound(t *testing.T) {
	t.Parallel()
	rewrite := func(t *testing.T, l *testLog, index int) *testLog {
		entries := slices.Clone(l.entries)
		entries[index] = bytes.Replace(entries[index], []byte("[placeholder]"), []byte("[other words]"), 1)
		require.NotEqual(t, l.entries[index], entries[index])
		return buildLog(t, entries)
	}
	t.Run("an entry and the tile above it", func(t *testing.T) {
		t.Parallel()
		l := buildLog(t, plainEntries(t, 300))
		other := rewrite(t, l, 10)
		l.put(t, "tile/entries/000", other.get(t, "tile/entries/000"))
		l.put(t, "tile/0/000", other.get(t, "tile/0/000"))
		named := files(l.verify(t).Faults)
		require.Contains(t, named, "tile/entries/000")
		require.Contains(t, named, "tile/0/000")
		require.NotContains(t, named, "tile/1/000.p/1")
	})
	t.Run("two levels of tiles, not the entries", func(t *testing.T) {
		t.Parallel()
		l := buildLog(t, plainEntries(t, 300))
		other := rewrite(t, l, 10)
		l.put(t, "tile/1/000.p/1", other.get(t, "tile/1/000.p/1"))
		l.put(t, "tile/0/000", other.get(t, "tile/0/000"))
		require.ElementsMatch(t, []string{"tile/0/000", "tile/1/000.p/1"}, files(l.verify(t).Faults))
	})
	t.Run("everything but the checkpoint", func(t *testing.T) {
		t.Parallel()
		l := buildLog(t, plainEntries(t, 300))
		checkpoint := l.checkpoint(t)
		other := rewrite(t, l, 299)
		other.key = l.key
		other.put(t, checkpointFile, []byte(checkpoint))
		named := other.verify(t).Faults
		require.Contains(t, files(named), checkpointFile)
	})
	t.Run("everything, signed by another key of the same name", func(t *testing.T) {
		t.Parallel()
		l := buildLog(t, plainEntries(t, 300))
		other := rewrite(t, l, 299)
		require.Empty(t, other.verify(t).Faults)
		other.key = l.key
		faults := other.verify(t).Faults
		require.Len(t, faults, 1)
		require.Equal(t, FaultCheckpoint, faults[0].Kind)
	})
}

func TestLogOfAnotherOrigin(t *testing.T) {
	t.Parallel()
	l := buildLog(t, plainEntries(t, 3))
	l.put(t, checkpointFile, []byte(l.key.sign(t, "ledger.test.example/other", 3, l.root())))
	faults := l.verify(t).Faults
	require.Len(t, faults, 1)
	require.Equal(t, FaultCheckpoint, faults[0].Kind)
	require.Contains(t, faults[0].What, "origin")
}

func TestLogStopsAtTooManyFaults(t *testing.T) {
	t.Parallel()
	l := buildLog(t, nil)
	l.put(t, checkpointFile, []byte(l.key.sign(t, testOrigin, 1<<60, tlog.Hash{})))
	report, err := Log(t.Context(), Dir(l.dir), l.key.vkey, Options{MaxFaults: 10})
	require.NoError(t, err)
	require.True(t, report.Stopped)
	require.NotEmpty(t, report.Faults)
	require.Less(t, len(report.Faults), 20)
}

func TestLogKeepsOtherErrorsApartFromFaults(t *testing.T) {
	t.Parallel()
	l := buildLog(t, plainEntries(t, 300))
	_, err := Log(t.Context(), Dir(l.dir), "no key", Options{})
	require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/tile/entries") {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		http.FileServer(http.Dir(l.dir)).ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	src, err := Open(server.URL)
	require.NoError(t, err)
	_, err = Log(t.Context(), src, l.key.vkey, Options{})
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err))
	require.ErrorContains(t, err, "tile/entries/")
}

func TestSourceFollowsNoRedirectElsewhere(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	t.Cleanup(server.Close)
	src, err := Open(server.URL)
	require.NoError(t, err)
	_, err = src.Read(t.Context(), checkpointFile, 100)
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err))
}

func TestOpenSource(t *testing.T) {
	t.Parallel()
	_, err := Open("https://")
	require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
	_, err = Open(t.TempDir() + "/none")
	require.Equal(t, casefile.CodeNotFound, casefile.ErrorCode(err))
}

func TestTilePaths(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		level int
		n     int64
		width int
		want  string
	}{
		{0, 0, 256, "tile/0/000"},
		{0, 5, 255, "tile/0/005.p/255"},
		{8, 8, 8, "tile/8/008.p/8"},
		{1, 1234067, 256, "tile/1/x001/x234/067"},
		{entryLevel, 1234067, 1, "tile/entries/x001/x234/067.p/1"},
	} {
		require.Equal(t, tc.want, tilePath(tc.level, tc.n, tc.width))
	}
}

func TestPromise12ChainFaults(t *testing.T) {
	t.Parallel()
	// Each case changes the entries of a sound log: a case with a decision, its takedown, another chain.
	for _, tc := range []struct {
		name    string
		change  func(t *testing.T, s *sound)
		kind    FaultKind // "" for none
		event   casefile.EventID
		repeats uint64
	}{
		{name: "sound", change: func(*testing.T, *sound) {}},
		{
			name:    "an entry twice with equal bytes",
			change:  func(_ *testing.T, s *sound) { s.entries = append(s.entries, s.entries[0], s.entries[3]) },
			repeats: 2,
		},
		{
			name: "an event twice with other bytes",
			change: func(t *testing.T, s *sound) {
				again := chain{name: "system"}
				s.entries = append(s.entries, bytes.Replace(again.plain(t), []byte("[placeholder]"), []byte("[other words]"), 1))
			},
			kind: FaultFork, event: "system/1",
		},
		{
			name:   "a number missing",
			change: func(t *testing.T, s *sound) { s.system.plain(t); s.entries = append(s.entries, s.system.plain(t)) },
			kind:   FaultGap, event: "system/4",
		},
		{
			name: "a chain that begins with its second",
			change: func(t *testing.T, s *sound) {
				c := chain{name: "case.00009-TEST0"}
				c.plain(t)
				s.entries = append(s.entries, c.plain(t))
			},
			kind: FaultGap, event: "case.00009-TEST0/2",
		},
		{
			name: "a number after a higher one",
			change: func(t *testing.T, s *sound) {
				low, high := s.system.plain(t), s.system.plain(t)
				s.entries = append(s.entries, high, low)
			},
			kind: FaultOrder, event: "system/3",
		},
		{
			name: "another predecessor",
			change: func(t *testing.T, s *sound) {
				s.system.prev = strings.Repeat("ab", 32)
				s.entries = append(s.entries, s.system.plain(t))
			},
			kind: FaultFork, event: "system/3",
		},
		{
			name: "a predecessor in other letters",
			change: func(t *testing.T, s *sound) {
				s.system.prev = strings.ToUpper(s.system.prev)
				s.entries = append(s.entries, s.system.plain(t))
			},
			kind: FaultFork, event: "system/3",
		},
		{
			name: "no predecessor in the middle",
			change: func(t *testing.T, s *sound) {
				s.system.prev = ""
				s.entries = append(s.entries, s.system.plain(t))
			},
			kind: FaultFork, event: "system/3",
		},
		{
			name: "a predecessor at the beginning",
			change: func(t *testing.T, s *sound) {
				c := chain{name: "case.00009-TEST0", prev: s.system.prev}
				s.entries = append(s.entries, c.plain(t))
			},
			kind: FaultFork, event: "case.00009-TEST0/1",
		},
		{
			name: "an entry that is not canonical",
			change: func(t *testing.T, s *sound) {
				s.entries = append(s.entries, bytes.Replace(s.system.plain(t), []byte(`"v":1`), []byte(`"v": 1`), 1))
			},
			kind: FaultEntry,
		},
		{
			name: "an event number with a leading zero",
			change: func(t *testing.T, s *sound) {
				s.entries = append(s.entries, bytes.Replace(s.system.plain(t), []byte(`system/3`), []byte(`system/03`), 1))
			},
			kind: FaultEntry,
		},
		{
			name:   "a takedown without its decision",
			change: func(t *testing.T, s *sound) { s.takedown(t, "DECISION-OTHER", "") },
			kind:   FaultCause, event: "takedown.DECISION-OTHER/1",
		},
		{
			name: "a takedown that names another entry",
			change: func(t *testing.T, s *sound) {
				s.takedown(t, "DECISION-OTHER", casefile.EntryHash(s.entries[0]))
			},
			kind: FaultCause, event: "takedown.DECISION-OTHER/1",
		},
		{
			name:   "a takedown that names another decision's entry",
			change: func(t *testing.T, s *sound) { s.takedown(t, "DECISION-OTHER", s.decisionHash) },
			kind:   FaultCause, event: "takedown.DECISION-OTHER/1",
		},
		{
			name: "a takedown before its decision",
			change: func(t *testing.T, s *sound) {
				c := chain{name: "case.00002-TEST2"}
				entries, d := decided(t, &c)
				s.takedown(t, d.ID, casefile.EntryHash(entries[len(entries)-1]))
				s.entries = append(s.entries, entries...)
			},
			kind: FaultCause, event: "takedown.DECISIONTEST2/1",
		},
		{
			name: "an appeal, its ruling and its reinstatement",
			change: func(t *testing.T, s *sound) {
				s.reinstate(t, s.appeal(t, "APPEAL-1", s.decision.ID, s.decisionHash, func(*casefile.AppealRuling) {}), "APPEAL-1")
			},
		},
		{
			name: "an appeal against another decision",
			change: func(t *testing.T, s *sound) {
				s.appeal(t, "APPEAL-1", "DECISION-OTHER", s.decisionHash, nil)
			},
			kind: FaultCause, event: "appeal.APPEAL-1/1",
		},
		{
			name: "a ruling by somebody who took part",
			change: func(t *testing.T, s *sound) {
				s.appeal(t, "APPEAL-1", s.decision.ID, s.decisionHash, func(r *casefile.AppealRuling) { r.Person = s.decision.Opinions[0].Person })
			},
			kind: FaultRuling, event: "appeal.APPEAL-1/2",
		},
		{
			name: "a ruling on another decision",
			change: func(t *testing.T, s *sound) {
				s.appeal(t, "APPEAL-1", s.decision.ID, s.decisionHash, func(r *casefile.AppealRuling) { r.Decision = "DECISION-OTHER" })
			},
			kind: FaultRuling, event: "appeal.APPEAL-1/2",
		},
		{
			name: "a ruling on no entry of the log",
			change: func(t *testing.T, s *sound) {
				s.appeal(t, "APPEAL-1", s.decision.ID, s.decisionHash, func(r *casefile.AppealRuling) { r.DecisionHash = strings.Repeat("ab", 32) })
			},
			kind: FaultRuling, event: "appeal.APPEAL-1/2",
		},
		{
			name: "a ruling of another appeal",
			change: func(t *testing.T, s *sound) {
				s.appeal(t, "APPEAL-1", s.decision.ID, s.decisionHash, func(r *casefile.AppealRuling) { r.Appeal = "APPEAL-2" })
			},
			kind: FaultRuling, event: "appeal.APPEAL-1/2",
		},
		{
			name: "a reinstatement without its ruling",
			change: func(t *testing.T, s *sound) {
				s.appeal(t, "APPEAL-1", s.decision.ID, s.decisionHash, func(*casefile.AppealRuling) {})
				s.reinstate(t, s.decisionHash, "APPEAL-1")
			},
			kind: FaultCause, event: "reinstatement.APPEAL-1/1",
		},
		{
			name: "a reinstatement for another appeal",
			change: func(t *testing.T, s *sound) {
				s.reinstate(t, s.appeal(t, "APPEAL-1", s.decision.ID, s.decisionHash, func(*casefile.AppealRuling) {}), "APPEAL-9")
			},
			kind: FaultCause, event: "reinstatement.APPEAL-9/1",
		},
		{
			name: "an account ended by one person",
			change: func(t *testing.T, s *sound) {
				s.give(t, func(d *casefile.Decision) {
					d.Opinions[0].Action, d.Opinions[0].Days = casefile.L5, 30
				})
			},
			kind: FaultPeople, event: "case.00004-TEST4/3",
		},
		{
			name: "a decision with an opinion that was given otherwise",
			change: func(t *testing.T, s *sound) {
				s.decide(t, func(d *casefile.Decision) { d.Opinions[1].Action = casefile.L0 })
			},
			kind: FaultOpinion, event: "case.00003-TEST3/3",
		},
		{
			name: "a decision with an opinion by somebody else",
			change: func(t *testing.T, s *sound) {
				s.decide(t, func(d *casefile.Decision) { d.Opinions[0].Person = "p-cccccccc" })
			},
			kind: FaultOpinion, event: "case.00003-TEST3/3",
		},
		{
			name: "a decision with one opinion twice",
			change: func(t *testing.T, s *sound) {
				s.decide(t, func(d *casefile.Decision) {
					d.Opinions[1], d.OpinionEvents[1] = d.Opinions[0], d.OpinionEvents[0]
				})
			},
			kind: FaultOpinion, event: "case.00003-TEST3/3",
		},
		{
			name: "a decision with an opinion of another case",
			change: func(t *testing.T, s *sound) {
				s.decide(t, func(d *casefile.Decision) {
					d.Opinions[1], d.OpinionEvents[1] = s.decision.Opinions[1], s.decision.OpinionEvents[1]
				})
			},
			kind: FaultOpinion, event: "case.00003-TEST3/3",
		},
		{
			name: "a decision with an opinion that is not in the log",
			change: func(t *testing.T, s *sound) {
				s.decide(t, func(d *casefile.Decision) { d.OpinionEvents[1] = "case.00003-TEST3/9" })
			},
			kind: FaultOpinion, event: "case.00003-TEST3/3",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newSound(t)
			tc.change(t, s)
			report := buildLog(t, s.entries).verify(t)
			require.Equal(t, tc.repeats, report.Repeats)
			if tc.kind == "" {
				require.Empty(t, report.Faults)
				require.Equal(t, uint64(len(s.entries))-tc.repeats, report.Entries)
				return
			}
			require.NotEmpty(t, report.Faults)
			last := report.Faults[len(report.Faults)-1]
			require.Equal(t, tc.kind, last.Kind, "%v", report.Faults)
			require.Equal(t, tc.event, last.Event)
			require.Equal(t, "tile/entries/000.p/"+fmt.Sprint(len(s.entries)), last.File)
			require.NotNil(t, last.Index)
		})
	}
}

// sound is a log without a fault: a decided case, its takedown, and two entries of the system.
type sound struct {
	entries      [][]byte
	system       chain
	decision     casefile.Decision
	decisionHash string
}

func newSound(t *testing.T) *sound {
	t.Helper()
	s := &sound{system: chain{name: casefile.SystemChain}}
	c := chain{name: "case.00001-TEST1"}
	s.entries, s.decision = decided(t, &c)
	s.decisionHash = casefile.EntryHash(s.entries[len(s.entries)-1])
	s.entries = append([][]byte{s.system.plain(t)}, s.entries...)
	s.takedown(t, s.decision.ID, s.decisionHash)
	s.entries = append(s.entries, s.system.plain(t))
	return s
}

func (s *sound) takedown(t *testing.T, decision, cause string) {
	t.Helper()
	c := chain{name: casefile.TakedownChain(decision)}
	planned := casefile.PlannedBody{Decision: decision, Platform: "test"}
	s.entries = append(s.entries, c.draft(t, casefile.Draft{Type: casefile.EntryActsPlanned, Actor: casefile.System, Planned: &planned}, cause))
}

// appeal appends an appeal with its ruling, where change is given, and answers the ruling's hash.
func (s *sound) appeal(t *testing.T, id, decision, cause string, change func(*casefile.AppealRuling)) string {
	t.Helper()
	c := chain{name: casefile.AppealChain(id)}
	s.entries = append(s.entries, c.draft(t, casefile.Draft{Type: casefile.EntryAppealOpened, Actor: casefile.System,
		Appeal: &casefile.AppealBody{Appeal: id, Kind: casefile.AppealByAccount, Decision: decision, DueAt: s.decision.DecidedAt}}, cause))
	if change == nil {
		return ""
	}
	r := casefile.AppealRuling{
		ID: "RULING-1", Appeal: id, Kind: casefile.AppealByAccount, Decision: decision, DecisionHash: cause, Case: s.decision.Case, Platform: "test",
		Outcome: casefile.OutcomeUpheld, Person: "p-dddddddd", Role: casefile.RoleReviewer, At: s.decision.DecidedAt, Digest: "d",
	}
	change(&r)
	s.entries = append(s.entries, c.draft(t, casefile.Draft{Type: casefile.EntryAppealRuling, Actor: casefile.System, Ruling: &r}, ""))
	return casefile.EntryHash(s.entries[len(s.entries)-1])
}

func (s *sound) reinstate(t *testing.T, cause, appeal string) {
	t.Helper()
	c := chain{name: casefile.ReinstatementChain(appeal)}
	planned := casefile.PlannedBody{Decision: s.decision.ID, Platform: "test"}
	s.entries = append(s.entries, c.draft(t, casefile.Draft{Type: casefile.EntryActsPlanned, Actor: casefile.System, Planned: &planned}, cause))
}

// give appends a case whose opinions were given just as its decision has them, whatever they say.
func (s *sound) give(t *testing.T, change func(*casefile.Decision)) {
	t.Helper()
	_, d := decided(t, &chain{name: "case.00004-TEST4"})
	change(&d)
	c := chain{name: "case.00004-TEST4"}
	for i := range d.Opinions {
		s.entries = append(s.entries, c.draft(t, casefile.Draft{Type: casefile.EntryOpinion, Actor: casefile.System, Opinion: &d.Opinions[i]}, ""))
	}
	s.entries = append(s.entries, c.draft(t, casefile.Draft{Type: casefile.EntryDecision, Actor: casefile.System, Decision: &d}, ""))
}

// decide appends a case whose decision's entry was built from something else than its opinions.
func (s *sound) decide(t *testing.T, change func(*casefile.Decision)) {
	t.Helper()
	c := chain{name: "case.00003-TEST3"}
	entries, d := decided(t, &c)
	change(&d)
	c.seq--
	c.prev = casefile.EntryHash(entries[1])
	forged := c.draft(t, casefile.Draft{Type: casefile.EntryDecision, Actor: casefile.System, Decision: &d}, "")
	s.entries = append(s.entries, entries[0], entries[1], forged)
}

func TestReportIsJSON(t *testing.T) {
	t.Parallel()
	l := buildLog(t, plainEntries(t, 2))
	data, err := json.Marshal(l.verify(t))
	require.NoError(t, err)
	require.Contains(t, string(data), `"faults":[]`)
	require.Contains(t, string(data), `"origin":"`+testOrigin+`"`)
}
