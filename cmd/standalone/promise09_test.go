package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/cmd/internal/assembly"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/detector/fold"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/indexing"
	"github.com/docket-triage/docket/ledger/verify"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/api"
	"github.com/docket-triage/docket/worker"
)

// canaries are words that stand nowhere but where a person's data goes, by where they were put.
var canaries = map[string]string{
	"handle": "canaryhandlebittern", "display name": "Canarynamecurlew", "bio": "canarybiodunlin", "account id": "canaryidegret",
	"text": "canarytextfulmar", "post id": "canarypostgodwit", "media URL": "canarymediaheron", "URL": "canaryurlibis",
	"later text": "canarylaterjackdaw", "history": "canaryhistorykestrel",
	"rationale": "canaryrationalelapwing", "comment": "canarycommentmerlin", "escalation": "canaryreasonnightjar",
	"complaint": "canarycomplaintosprey", "ruling": "canaryrulingpetrel", "hold": "canaryholdquail",
}

// canaryFlag is a flag with a canary in every field that takes words.
func canaryFlag(id, text string) casefile.Flag {
	f := testFlag(id, 1)
	f.Account = casefile.Account{ID: canaries["account id"], Handle: canaries["handle"], DisplayName: canaries["display name"], Bio: canaries["bio"]}
	e := &f.Evidence[0]
	e.ID, e.Account, e.Text = canaries["post id"]+id, f.Account, "[praise of a designated group] "+canaries[text]
	e.URLs = []string{"https://example.org/" + canaries["URL"]}
	e.Media = []casefile.Media{{Type: "image", URL: "https://example.org/" + canaries["media URL"] + ".png", MIME: "image/png"}}
	return f
}

// TestPromise09ErasureLeavesNothing: after a whole lifecycle an account is erased, what was on its way comes
// late, and a copy of the data folder from before is put back. Then no byte of any file holds a word of the
// account's, nothing that was ever sealed opens under any key that is left, and the log verifies.
func TestPromise09ErasureLeavesNothing(t *testing.T) {
	t.Parallel()
	dir, elsewhere := t.TempDir(), t.TempDir()
	cfg := testConfig(filepath.Join(dir, "data"))
	cfg.EraseLinger = 500 * time.Millisecond
	cfg.Platforms = []config.Platform{{Name: config.AnyPlatform, Adapter: config.AdapterDryrun, File: filepath.Join(elsewhere, "platform.ndjson")}}
	a, err := startApp(t.Context(), cfg)
	require.NoError(t, err)
	b := newBed(t, a)
	account, refs, stale := liveAndDie(b)

	// Everything is there to be found, or the search below would prove nothing.
	require.NoError(t, a.stop(context.WithoutCancel(t.Context())))
	found := words(t, cfg.Data)
	for _, in := range []string{"handle", "display name", "text", "history"} {
		require.Contains(t, found, canaries[in], "the index holds it before")
	}
	backup := filepath.Join(dir, "backup")
	copyFolder(t, cfg.Data, backup)
	attic := newAttic(t, backup)
	require.Subset(t, attic.opened(t, cfg.Data), values(canaries, "text", "media URL", "rationale", "comment", "escalation", "complaint", "ruling", "hold"),
		"every one opens before")

	a, err = startApp(t.Context(), cfg)
	require.NoError(t, err)
	b = newBed(t, a)
	e := b.erase(refs[0])
	require.Equal(t, []any{2, 2}, []any{e.Cases, e.Flags})
	require.Greater(t, e.Objects, 8)
	for _, ref := range refs {
		c := b.awaitCase(ref, func(c records.Case) bool { return c.ErasedAt != nil })
		require.Equal(t, casefile.StateClosed, c.State)
	}
	late(b, account, stale)
	b.deletedWorkflows(account, refs)
	noWordsIn(t, "while it runs", cfg.Data)
	report := b.verifyLog()
	require.NotZero(t, report.Entries)
	var reconciled struct{ Report worker.Report }
	b.post("auditor", "/v1/reconcile", nil, &reconciled, http.StatusOK)
	require.Empty(t, reconciled.Report.Found, "no workflow of the account is missed")
	require.True(t, reconciled.Report.Ledger.OK(), "%+v", reconciled.Report.Ledger)
	b.deletedWorkflows(account, refs)

	// A flag that comes after opens the account's next case, under a key of its own. Its own words are kept.
	fresh := testFlag("f-after", 1)
	fresh.Account = casefile.Account{ID: canaries["account id"], Handle: "fresh_handle"}
	fresh.Evidence[0].Account = fresh.Account
	next, err := b.records.Account(t.Context(), account)
	require.NoError(t, err)
	require.Equal(t, 2, next.Ordinal)
	require.Equal(t, refs[1], next.LastCase)
	require.NoError(t, a.stop(context.WithoutCancel(t.Context())))
	noWordsIn(t, "after a stop", cfg.Data)
	require.Empty(t, attic.opened(t, cfg.Data), "nothing that was ever sealed opens any more")

	// The key left in place once: the same search finds it.
	left := filepath.Join(dir, "left")
	copyFolder(t, cfg.Data, left)
	execute(t, left, "UPDATE account_keys SET wrapped = (SELECT wrapped FROM old.account_keys o WHERE o.account = account_keys.account), destroyed_at = NULL", filepath.Join(backup, "records.sqlite"))
	require.Subset(t, attic.opened(t, left), values(canaries, "text", "rationale", "comment", "complaint"))

	// The copy from before is put back; the log that was kept tells whom to erase again.
	restored := cfg
	restored.Data = backup
	reapply(t, restored, filepath.Join(cfg.Data, "ledger"), 1)
	noWordsIn(t, "in a restored copy", backup)
	require.Empty(t, attic.opened(t, backup))
	reapply(t, restored, filepath.Join(cfg.Data, "ledger"), 1)

	a, err = startApp(t.Context(), restored)
	require.NoError(t, err)
	b = newBed(t, a)
	b.awaitErasure(func() bool {
		rows, err := b.records.AccountErasures(t.Context(), account)
		require.NoError(t, err)
		return rows[0].State == casefile.ErasureDone
	})
	b.deletedWorkflows(account, refs)
	require.NotEqual(t, refs[1], b.flag(fresh))
	require.NoError(t, a.stop(context.WithoutCancel(t.Context())))
	noWordsIn(t, "in a restored copy that ran", backup, "account id")
	require.NotContains(t, attic.opened(t, backup), canaries["text"])
	reapply(t, restored, filepath.Join(cfg.Data, "ledger"), 0)
	found = words(t, backup)
	require.Contains(t, found, "fresh_handle", "what came after the erasure is not erased again")
}

// liveAndDie takes an account through everything that keeps words: a case that was decided, appealed and
// taken back, one that is open, history, a hold that has ended. It gives the account, its cases, and a
// document of the index as an old projection would write it.
func liveAndDie(b *bed) (casefile.AccountKey, []casefile.CaseRef, indexing.CaseDoc) {
	t := b.t
	index, err := b.process.Index(t.Context())
	require.NoError(t, err)
	f := canaryFlag("f-first", "text")
	account := b.keyring.Identity().Account(f.Ref())
	_, err = index.PutPosts(t.Context(), oldPosts(f, account))
	require.NoError(t, err)
	ref := b.flag(f)
	b.post("rev1", "/v1/cases/"+string(ref)+"/comment", api.CommentBody{Text: "[a remark] " + canaries["comment"]}, nil, http.StatusOK)
	b.post("rev1", "/v1/cases/"+string(ref)+"/escalate", api.EscalateBody{Reason: "[why] " + canaries["escalation"]}, nil, http.StatusOK)
	opinion := form(casefile.L5, casefile.VE08, f.Evidence[0].ID)
	opinion.Rationale = "[a rationale] " + canaries["rationale"]
	given := b.give("lead", ref, b.claim("lead", ref), opinion)
	b.awaitDecision(given.Decision, casefile.DecisionDone)
	b.awaitNotice(given.Decision)
	b.awaitCase(ref, func(c records.Case) bool { return c.State == casefile.StateClosed })

	hold := api.HoldBody{AccountBody: api.AccountBody{Case: ref}, Basis: "[an order] " + canaries["hold"], Until: time.Now().Add(time.Hour)}
	b.post("policy", "/v1/holds", hold, nil, http.StatusOK)
	var barred problem
	require.Equal(t, http.StatusConflict, b.call("policy", http.MethodPost, "/v1/erasures", api.EraseBody{AccountBody: hold.AccountBody, Reason: "[a request]"}, &barred))
	var bars []string
	for _, f := range barred.Faults {
		bars = append(bars, f.Field)
	}
	require.Equal(t, []string{"timed", "appeal_until", "hold"}, bars, "every reason at once")
	b.post("policy", "/v1/holds/end", api.EndHoldBody{AccountBody: hold.AccountBody, Reason: "[lifted] " + canaries["hold"]}, nil, http.StatusOK)

	told, err := b.records.Notice(t.Context(), given.Decision)
	require.NoError(t, err)
	var opened review.AppealOpened
	b.post("senior", "/v1/appeals", api.AppealBody{Notice: told.Number, Words: "[a complaint] " + canaries["complaint"]}, &opened, http.StatusOK)
	b.await(func() bool {
		a, err := b.records.Appeal(t.Context(), opened.Appeal)
		require.NoError(t, err)
		return a.Revision > 0
	})
	var claimed review.AppealAnswer
	b.post("rev3", "/v1/appeals/"+opened.Appeal+"/claim", nil, &claimed, http.StatusOK)
	b.post("rev3", "/v1/appeals/"+opened.Appeal+"/rule", api.RulingBody{
		AppealForm: casefile.AppealForm{Outcome: casefile.OutcomeUpheld, Rationale: "[a rationale] " + canaries["ruling"]}, Claim: claimed.Claim.Number,
	}, nil, http.StatusOK)
	b.await(func() bool {
		a, err := b.records.Appeal(t.Context(), opened.Appeal)
		require.NoError(t, err)
		return a.State == casefile.AppealReinstated
	})
	b.awaitDecision(given.Decision, casefile.DecisionUndone)

	second := b.flag(canaryFlag("f-second", "later text"))
	require.NotEqual(t, ref, second)
	b.claim("rev2", second)
	var page review.CasePage
	b.await(func() bool {
		require.Equal(t, http.StatusOK, b.call("rev2", http.MethodPost, "/v1/cases/search", review.Query{Text: canaries["later text"]}, &page))
		return len(page.Cases) == 1
	})
	docs, err := index.Search(t.Context(), indexing.CaseQuery{Text: canaries["later text"]})
	require.NoError(t, err)
	require.Len(t, docs.Cases, 1)
	return account, []casefile.CaseRef{ref, second}, docs.Cases[0]
}

func oldPosts(f casefile.Flag, account casefile.AccountKey) []indexing.Post {
	e := f.Evidence[0]
	e.ID, e.Text = canaries["post id"]+"-history", "[words] "+canaries["history"]
	return []indexing.Post{{Event: e, Account: account}, {Event: f.Evidence[0], Account: account}}
}

// erase erases the account of a case and waits for the end.
func (b *bed) erase(ref casefile.CaseRef) review.ErasureView {
	b.t.Helper()
	body := api.EraseBody{AccountBody: api.AccountBody{Case: ref}, Reason: "[a request]"}
	var e, again review.ErasureView
	b.post("policy", "/v1/erasures", body, &e, http.StatusOK)
	b.post("policy", "/v1/erasures", body, &again, http.StatusOK)
	require.Equal(b.t, e.Erasure, again.Erasure, "asked for again it is the same")
	b.awaitErasure(func() bool {
		require.Equal(b.t, http.StatusOK, b.call("policy", http.MethodGet, "/v1/erasures/"+e.Erasure, nil, &e))
		return !e.State.UnderWay()
	})
	require.Equal(b.t, casefile.ErasureDone, e.State, e.Bars)
	b.post("policy", "/v1/erasures", body, &again, http.StatusOK)
	require.Equal(b.t, e, again, "also once it has ended")
	return e
}

// awaitErasure waits for longer than for anything else: the engine deletes a run only once it has noted its
// end in every queue of its own, which it does twice a minute.
func (b *bed) awaitErasure(ok func() bool) {
	b.t.Helper()
	require.Eventually(b.t, ok, 4*patience, 200*time.Millisecond)
}

// late plays what was on its way when the account was erased: a projection into the index, a detector that
// reads its stream again, a flag that is sent again.
func late(b *bed, account casefile.AccountKey, stale indexing.CaseDoc) {
	t := b.t
	index, err := b.process.Index(t.Context())
	require.NoError(t, err)
	require.NoError(t, index.PutCase(t.Context(), stale))
	f := canaryFlag("f-first", "text")
	res, err := index.PutPosts(t.Context(), oldPosts(f, account))
	require.NoError(t, err)
	require.Equal(t, indexing.PostResult{Outside: 2}, res)
	require.NoError(t, b.records.RequeueIndex(t.Context()))
	b.await(func() bool {
		left, err := b.records.IndexChanges(t.Context(), 1)
		require.NoError(t, err)
		return len(left) == 0
	})
	b.flag(f)
	_, err = b.records.AccountKey(t.Context(), account)
	require.Equal(t, casefile.CodeNotFound, casefile.ErrorCode(err))
	found, err := index.Search(t.Context(), indexing.CaseQuery{Text: canaries["later text"]})
	require.NoError(t, err)
	require.Empty(t, found.Cases)
	require.NoError(t, index.Scrub(t.Context()))
}

// deletedWorkflows requires that no run of the account's workflows is left in the engine.
func (b *bed) deletedWorkflows(account casefile.AccountKey, refs []casefile.CaseRef) {
	b.t.Helper()
	cases := worker.Cases{Client: b.client}
	ids := []string{casefile.CaseWorkflowID("synthetic", account)}
	for _, ref := range refs {
		decisions, err := b.records.CaseDecisions(b.t.Context(), ref)
		require.NoError(b.t, err)
		for _, d := range decisions {
			ids = append(ids, casefile.TakedownWorkflowID(ref, d.Decision.ID))
		}
	}
	appeals, err := b.records.AccountAppeals(b.t.Context(), account)
	require.NoError(b.t, err)
	for _, a := range appeals {
		ids = append(ids, casefile.AppealWorkflowID(a.ID), casefile.ReinstatementWorkflowID(a.ID))
	}
	require.Len(b.t, ids, 4)
	for _, id := range ids {
		run, err := cases.Describe(b.t.Context(), id)
		require.NoError(b.t, err)
		require.Equal(b.t, worker.RunNone, run.State, id)
	}
}

// noWordsIn requires that no file of a folder holds a canary, but for those named.
func noWordsIn(t *testing.T, when, dir string, but ...string) {
	t.Helper()
	for path, data := range readAll(t, dir) {
		for name, word := range canaries {
			if !slices.Contains(but, name) && bytes.Contains(bytes.ToLower(data), []byte(strings.ToLower(word))) {
				require.Fail(t, "a word of an erased account is left", "%s, %s: %s", when, name, path)
			}
		}
	}
}

// words is everything that stands in a folder's files.
func words(t *testing.T, dir string) string {
	var all strings.Builder
	for _, data := range readAll(t, dir) {
		all.Write(data)
	}
	return all.String()
}

func values(of map[string]string, names ...string) []string {
	out := make([]string, 0, len(names))
	for _, n := range names {
		out = append(out, of[n])
	}
	return out
}

// copyFolder copies a folder that nobody writes to, as a backup does.
func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	require.NoError(t, os.CopyFS(to, os.DirFS(from)))
	require.NoError(t, os.Chmod(filepath.Join(to, "keys"), 0o700))
	for _, name := range []string{"identity.key", "deployment.keys", "codec.keys", "assertion.keys", "assertion.pub", "log.key", "log.pub"} {
		require.NoError(t, os.Chmod(filepath.Join(to, "keys", name), 0o600))
	}
}

// reapply carries the log's erasures out again on a restored folder.
func reapply(t *testing.T, cfg options, ledger string, want int) {
	t.Helper()
	f, err := openFolder(cfg.Data)
	require.NoError(t, err)
	a := &app{cfg: cfg, folder: f}
	p := assembly.New(a.configuration(), slog.New(slog.DiscardHandler), config.RoleServe)
	n, err := p.ReapplyErasures(t.Context(), verify.Dir(ledger))
	require.NoError(t, err)
	require.Equal(t, want, n)
	require.NoError(t, p.Stop(t.Context()))
	require.NoError(t, f.close())
}

// attic is every sealed thing of a folder, as somebody may have carried it off: objects, and what records
// hold sealed under the deployment key.
type attic struct {
	objects map[casefile.Address][]byte
	texts   [][]byte
}

func newAttic(t *testing.T, dir string) attic {
	t.Helper()
	a := attic{objects: map[casefile.Address][]byte{}}
	root := filepath.Join(dir, "evidence")
	for path, data := range readAll(t, root) {
		rel, err := filepath.Rel(root, path)
		require.NoError(t, err)
		a.objects[casefile.Address(strings.ReplaceAll(rel, string(filepath.Separator), ""))] = data
	}
	require.NotEmpty(t, a.objects)
	a.texts = sealedTexts(t, dir)
	return a
}

// sealedTexts are staff's words in the records of a folder.
func sealedTexts(t *testing.T, dir string) [][]byte {
	t.Helper()
	db := openRecords(t, dir)
	defer func() { require.NoError(t, db.Close()) }()
	var out [][]byte
	for _, column := range []string{"basis FROM legal_holds", "end_reason FROM legal_holds", "reason FROM erasures", "reason FROM break_glass", "reason FROM switches"} {
		rows, err := db.QueryContext(t.Context(), "SELECT "+column)
		require.NoError(t, err)
		for rows.Next() {
			var sealed []byte
			require.NoError(t, rows.Scan(&sealed))
			if len(sealed) > 0 {
				out = append(out, sealed)
			}
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
	}
	return out
}

// opened tries everything of the attic, and whatever a folder holds sealed itself, with every key that is
// left in the folder: the wrapped keys of its records under its deployment keys, whichever account they are
// of. It gives the canaries that come to light. What records hold sealed for staff opens under the deployment
// key alone, so of that only what the folder itself still has counts.
func (a attic) opened(t *testing.T, dir string) []string {
	t.Helper()
	ring, err := evidence.OpenKeyring(t.Context(), evidence.KeyringOptions{Dir: filepath.Join(dir, "keys"), Skeleton: fold.String})
	require.NoError(t, err)
	defer func() { require.NoError(t, ring.Close()) }()
	var light strings.Builder
	for _, sealed := range sealedTexts(t, dir) {
		text, err := ring.OpenReason(t.Context(), sealed)
		require.NoError(t, err)
		light.Write(text)
	}
	var rows oneKey
	objects := filepath.Join(t.TempDir(), "objects")
	for address, data := range a.objects {
		require.NoError(t, os.MkdirAll(filepath.Join(objects, string(address[:1])), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(objects, string(address[:1]), string(address[1:])), data, 0o600))
	}
	for path, data := range readAll(t, filepath.Join(dir, "evidence")) {
		rel, err := filepath.Rel(filepath.Join(dir, "evidence"), path)
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(filepath.Join(objects, filepath.Dir(rel)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(objects, rel), data, 0o600))
		a.objects[casefile.Address(strings.ReplaceAll(rel, string(filepath.Separator), ""))] = data
	}
	store, err := evidence.Open(evidence.Options{Dir: objects, Keyring: ring, Rows: &rows, Fast: true})
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	for _, key := range wrappedKeys(t, dir) {
		rows.key = key
		for address := range a.objects {
			for _, kind := range evidence.Kinds {
				text, err := store.Open(t.Context(), key.Account, kind, address)
				if err == nil {
					light.Write(text)
				}
			}
		}
	}
	var out []string
	for _, word := range canaries {
		if strings.Contains(light.String(), word) {
			out = append(out, word)
		}
	}
	return out
}

// oneKey is the key that is tried.
type oneKey struct{ key records.WrappedKey }

func (o *oneKey) PutAccountKey(context.Context, records.WrappedKey) (records.WrappedKey, error) {
	return records.WrappedKey{}, casefile.Errorf(casefile.CodeForbidden, "nothing is sealed here")
}

func (o *oneKey) AccountKey(context.Context, casefile.AccountKey) (records.WrappedKey, error) {
	return o.key, nil
}

func wrappedKeys(t *testing.T, dir string) []records.WrappedKey {
	t.Helper()
	db := openRecords(t, dir)
	defer func() { require.NoError(t, db.Close()) }()
	rows, err := db.QueryContext(t.Context(), "SELECT account, platform, wrapped, key_id FROM account_keys WHERE wrapped IS NOT NULL")
	require.NoError(t, err)
	var out []records.WrappedKey
	for rows.Next() {
		var k records.WrappedKey
		require.NoError(t, rows.Scan(&k.Account, &k.Platform, &k.Wrapped, &k.KeyID))
		out = append(out, k)
	}
	require.NoError(t, rows.Err())
	require.NoError(t, rows.Close())
	return out
}

func openRecords(t *testing.T, dir string) *sql.DB {
	t.Helper()
	u := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(filepath.Join(dir, "records.sqlite"))}
	db, err := sql.Open("sqlite", u.String())
	require.NoError(t, err)
	db.SetMaxOpenConns(1)
	return db
}

// execute changes a folder's records behind Docket's back; the records of another stand beside them as old.
func execute(t *testing.T, dir, statement, old string) {
	t.Helper()
	db := openRecords(t, dir)
	defer func() { require.NoError(t, db.Close()) }()
	_, err := db.ExecContext(t.Context(), fmt.Sprintf("ATTACH DATABASE '%s' AS old", old))
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), statement)
	require.NoError(t, err)
}
