package activities_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/indexing"
	"github.com/docket-triage/docket/indexing/projector"
	"github.com/docket-triage/docket/ledger/systemchain"
	"github.com/docket-triage/docket/workflows"
)

// forms gives what a word may look like on its way out: as it is, in small letters, in hexadecimal,
// and in base 64 at each of the three places where it can begin.
func forms(word string) [][]byte {
	out := [][]byte{[]byte(word), []byte(strings.ToLower(word)), []byte(hex.EncodeToString([]byte(word)))}
	for shift := range 3 {
		encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + word))
		// The characters at either end also hold bits of what stands beside the word.
		out = append(out, []byte(encoded[[]int{0, 2, 3}[shift]:len(encoded)-4]))
	}
	return out
}

// where names what holds one of the forms of a word.
func where(t *testing.T, word string, places map[string][]byte) []string {
	t.Helper()
	var found []string
	for name, data := range places {
		for _, form := range forms(word) {
			if bytes.Contains(data, form) {
				found = append(found, name)
				break
			}
		}
	}
	return found
}

// TestPromise10NoWordsOutside: after a whole decision flow, with a comment, a like handle, a failed
// finding, a lost flag, a forged signal and a refused takedown on the way, nothing of the account
// stands in records, ledger, log or the sealed store's files.
func TestPromise10NoWordsOutside(t *testing.T) {
	t.Parallel()
	words := map[string]string{
		"account id":      "acct-90210-77",
		"handle":          "Tawny_Owl_Returns",
		"display name":    "Tawny Owl of the Harbour",
		"bio":             "collector of unlikely lighthouses",
		"post id":         "post-5512340987",
		"post":            "[unmistakable praise of a designated group]",
		"history":         "[an earlier remark about the harbour]",
		"link":            "https://tawny.example.org/pamphlet",
		"detail":          "scored beyond the lighthouse mark",
		"rationale":       "[this praises the group and nothing excuses it]",
		"comment":         "[I asked a colleague about the lighthouse]",
		"like handle":     "Tawny_Owl_Again",
		"forged key":      "Words that somebody signalled",
		"forged case":     "Words in the place of a case",
		"source's words":  "engine quotes the tawny owl",
		"platform's word": "platform quotes the tawny owl",
		"forged start":    "Words in the place of a decision",
		"forged platform": "Words in the place of a platform",
	}
	b := newBed(t)
	at := morning.Add(-time.Hour)
	account := casefile.Account{ID: words["account id"], Handle: words["handle"], DisplayName: words["display name"], Bio: words["bio"]}
	said := casefile.Event{Kind: casefile.EventPost, Platform: platform, ID: words["post id"], Account: account, Text: words["post"], URLs: []string{words["link"]}, At: at}
	earlier := casefile.Event{Kind: casefile.EventPost, Platform: platform, ID: "post-0", Account: account, Text: words["history"], At: at.Add(-time.Hour)}
	flagFor := func(id string, a casefile.Account, posts ...casefile.Event) casefile.Flag {
		return casefile.Flag{ID: id, Platform: platform, Account: a, Detector: casefile.Detector{Name: "test", Version: "1"}, At: morning, Evidence: posts,
			Reasons: []casefile.Reason{{Rule: "praise", Policy: casefile.VE08, Weight: 9, Detail: words["detail"], Terms: []casefile.Match{{Post: words["post id"], Term: words["post"][1:10]}}}}}
	}
	key := b.key(words["account id"])
	_, err := b.index.PutPosts(t.Context(), []indexing.Post{{Event: earlier, Account: key}, {Event: said, Account: key}})
	require.NoError(t, err)

	// An account taken down before under a like handle.
	twin := b.begin(flagFor("t1", casefile.Account{ID: "acct-2", Handle: words["like handle"]}))
	twin.takedown(twin.decide(twin.opinion("p-anna0000", judgement(casefile.L5), casefile.EvidenceProfile)))
	twin.close(casefile.CloseDecided)

	// The case: a source fails and quotes, a flag is lost, somebody forges a signal.
	whole := *b.work
	quoting := &casefile.Error{Code: casefile.CodeUnavailable, Message: words["source's words"], Err: errors.New(words["source's words"])}
	lost := b.submit(flagFor("f0", account, said))
	b.work.Sealer = holes{b.sealer, map[casefile.Address]error{b.sealedFlag("f0"): evidence.ErrDamaged}}
	b.work.Scorer = brokenScorer{b.work.Scorer, func(context.Context) error { return quoting }}
	l := &life{bed: b, account: key}
	l.taken(b.take(key, lost, b.submit(flagFor("f1", account, said)), casefile.FlagKey(words["forged key"])))
	*b.work = whole
	comment, _, err := b.sealer.Seal(t.Context(), key, evidence.KindComment, []byte(words["comment"]))
	require.NoError(t, err)
	l.s.Comments = []workflows.Comment{{ID: casefile.NewID(), Person: "p-anna0000", At: b.clock(), Text: comment}}
	l.project(workflows.ProjectAsk{})

	o := l.opinion("p-anna0000", judgement(casefile.L4), words["post id"], casefile.EvidenceProfile)
	o.Form, o.Digest = l.seal(key, evidence.KindOpinion, casefile.OpinionForm{Judgement: judgement(casefile.L4), Rationale: words["rationale"], Relied: []string{words["post id"], casefile.EvidenceProfile}})
	in := l.decide(o)
	forged := wire(t, in)
	forged.Decision.Case, forged.Bundle = casefile.CaseRef(words["forged case"]), casefile.Bundle{}
	_, err = b.actor.PrepareActs(t.Context(), prepareAsk(forged))
	requireCode(t, casefile.CodeUnproven, err)
	require.NotContains(t, err.Error(), words["forged case"])
	l.takedown(in)
	l.close(casefile.CloseDecided)

	// A second case ends in an act that the platform refuses with words.
	again := &life{bed: b, account: key}
	again.taken(b.take(key, b.reopen(l), b.submit(flagFor("f2", account, said))))
	refused := again.decide(again.opinion("p-anna0000", judgement(casefile.L5), words["post id"]))
	act := b.prepared(refused)[0]
	b.on(altered{do: func() error { return casefile.Errorf(casefile.CodeForbidden, "%s", words["platform's word"]) }})
	out, err := b.actor.DoAct(t.Context(), doAsk(refused, act))
	require.NoError(t, err)
	require.Equal(t, casefile.ActFailed, out.State)
	require.NoError(t, b.work.Finish(t.Context(), workflows.FinishAsk{Decision: refused.Decision, State: casefile.DecisionFailed, Why: out.Why}))
	b.actor.Platforms = func(string) (enforce.Platform, error) { return b.platform, nil }
	again.close(casefile.CloseDecided)

	// The first decision is appealed against and taken back; somebody forges a start and a flag.
	re := l.upheld(in)
	for _, act := range b.prepareUndo(re) {
		_, err = b.undo(re, act)
		require.NoError(t, err)
	}
	_, err = b.actor.NotifyUndo(t.Context(), workflows.NotifyUndoAsk{Reinstatement: re})
	require.NoError(t, err)
	require.NoError(t, b.work.FinishUndo(t.Context(), workflows.FinishUndoAsk{Decision: in.Decision, Appeal: re.Ruling.Appeal, State: casefile.AppealReinstated}))
	require.NoError(t, b.work.DropStart(t.Context(), workflows.DropStartAsk{Kind: workflows.TakedownWorkflowType, Platform: words["forged platform"], Thing: words["forged start"], Why: "mismatch"}))
	_, err = b.work.TakeIn(t.Context(), workflows.TakeInAsk{Platform: words["forged platform"], Account: key, Flags: []casefile.FlagKey{casefile.FlagKey(words["forged key"])}})
	require.NoError(t, err)
	// An opinion that nobody sees yet, on a third case.
	third := &life{bed: b, account: key}
	third.taken(b.take(key, b.submit(flagFor("f3", account, said))))
	third.s.Opinions = []casefile.Opinion{third.opinion("p-anna0000", judgement(casefile.L6), words["post id"])}
	third.project(workflows.ProjectAsk{Opinions: third.s.Opinions, Tellings: []workflows.Telling{{ID: "x.adjudication.V", Kind: "case.adjudication", Queue: third.s.Queue}}})

	// The system chain and the index take up what is left.
	chain := &systemchain.Writer{Records: b.records, Log: b.log, Logger: b.work.Log}
	require.NoError(t, chain.Watch(t.Context()))
	for more := true; more; {
		more, err = chain.Drain(t.Context())
		require.NoError(t, err)
	}
	index := &projector.Projector{Records: b.records, Sealer: b.sealer, Index: b.index, Log: b.work.Log}
	for more := true; more; {
		more, err = index.Drain(t.Context())
		require.NoError(t, err)
	}

	outside, allowed := map[string][]byte{"the log": []byte(b.said.String())}, map[string][]byte{}
	counts := map[string]int{}
	require.NoError(t, filepath.WalkDir(b.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(b.dir, path)
		require.NoError(t, err)
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		place, _, _ := strings.Cut(filepath.ToSlash(name), "/")
		counts[place]++
		if strings.HasPrefix(place, "index.sqlite") || place == "dryrun.ndjson" {
			allowed[name] = data
		} else {
			outside[name] = data
		}
		return nil
	}))
	require.Positive(t, counts["records.sqlite"])
	require.Positive(t, counts["records.sqlite-wal"])
	require.Greater(t, counts["ledger"], 3)
	require.Greater(t, counts["evidence"], 10)
	for what, word := range words {
		require.Empty(t, where(t, word, outside), "the %s stands outside the sealed store and the index", what)
	}
	for _, what := range []string{"handle", "display name", "post", "history", "account id"} {
		require.NotEmpty(t, where(t, words[what], allowed), "the search would not find the %s even where it stands", what)
	}
	planted := map[string][]byte{"x": []byte("{\"k\":\"" + base64.StdEncoding.EncodeToString([]byte("ab "+words["post"]+" cd")) + "\"}")}
	require.NotEmpty(t, where(t, words["post"], planted), "the search would not find base 64")
}

// files reads everything on the bed's disk but the sealed store, the dry run and the index.
func (b *bed) files() map[string][]byte {
	b.t.Helper()
	out := map[string][]byte{"the log": []byte(b.said.String())}
	require.NoError(b.t, filepath.WalkDir(b.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(b.dir, path)
		if err != nil {
			return err
		}
		place, _, _ := strings.Cut(filepath.ToSlash(name), "/")
		if place == "evidence" || place == "dryrun.ndjson" || strings.HasPrefix(place, "index.sqlite") {
			return nil
		}
		out[name], err = os.ReadFile(path)
		return err
	}))
	return out
}
