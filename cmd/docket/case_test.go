package main

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/intake"
	"github.com/docket-triage/docket/review/reviewtest"
)

// TestLifeOfACase goes the whole way in text: flag, queue, next, look, comment, preview, opinion,
// withdrawal, release, close, reopening.
func TestLifeOfACase(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	f := b.Flag(1, "flag-1")
	require.Contains(t, b.typed("detector", b.lines(f), "flag", "submit", "-").good(t), "1 flags accepted, 0 refused\n")
	var status review.FlagStatus
	b.as("detector", "flag", "show", "flag-1", "--json").decode(t, &status)
	ref := string(status.Case)
	require.NotEmpty(t, ref)
	require.Contains(t, b.as("rev1", "flag", "show", "flag-1").good(t), ref)

	require.Regexp(t, `(?m)^general +1 +0 `, b.as("rev1", "case", "queues").good(t))
	require.Contains(t, b.as("rev1", "case", "list", "--queue", reviewtest.Queue).good(t), ref)
	require.Contains(t, b.as("rev1", "case", "next", reviewtest.Queue).good(t), ref)
	require.Equal(t, "no case waits in a queue general\n", b.as("rev1", "case", "next", reviewtest.Queue).good(t))
	b.typed("rev1", "a comment\n", "case", "comment", ref).good(t)
	shown := b.as("rev1", "case", "show", strings.ToLower(ref)).good(t)
	for _, part := range []string{"Evidence revision 1\n", "Held by ", "VE-08 praise weight 5", "[praise of a designated group]", " commented: a comment\n"} {
		require.Contains(t, shown, part)
	}

	form := b.form(casefile.L5, f.Evidence[0].ID)
	preview := b.as("rev1", "case", "opinion", ref, "--file", form, "--preview").good(t)
	require.Contains(t, preview, "- The account is suspended for 7 days.\n")
	_, after, found := strings.Cut(preview, "--confirm ")
	require.True(t, found, preview)
	require.Contains(t, b.as("rev1", "case", "opinion", ref, "--file", form).bad(t), "--evidence-revision N")
	decided := b.as("rev1", "case", "opinion", ref, "--file", form, "--evidence-revision", "1", "--confirm", strings.TrimSpace(after)).good(t)
	require.Contains(t, decided, "can be withdrawn until")
	shown = b.as("rev1", "case", "show", ref).good(t)
	_, notice, _ := strings.Cut(preview, "sent:\n")
	notice, _, _ = strings.Cut(notice, "\nTo give")
	require.NotEmpty(t, notice)
	require.Contains(t, shown, notice, "the notice is the one that was previewed")
	require.Contains(t, shown, "judged L5 under VE-08, entity E1, 7 days: the post praises")

	require.Contains(t, b.as("rev1", "case", "withdraw", ref).good(t), "queued")
	b.as("rev1", "case", "claim", ref).good(t)
	require.Contains(t, b.as("rev1", "case", "release", ref).good(t), "queued")
	b.as("rev1", "case", "claim", ref).good(t)
	require.Contains(t, b.as("rev1", "case", "close", ref, "--reason", "test", "--evidence-revision", "1").good(t), "is being closed as")
	require.Contains(t, b.as("lead", "case", "list", "--state", "closed").good(t), ref)
	again := b.as("lead", "case", "reopen", ref).good(t)
	require.NotContains(t, again, ref)
	fields := strings.Fields(again)
	require.Contains(t, b.as("rev1", "case", "show", fields[len(fields)-1]).good(t), "case "+ref+" opened ")
}

// TestJSON holds the shape of every answer to the type that docs/formats/api.md has it from.
func TestJSON(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ref, post := b.Open(1)
	var queues []review.QueueView
	b.as("rev1", "case", "queues", "--json").decode(t, &queues)
	require.Equal(t, 1, queues[0].Waiting)
	var page review.CasePage
	b.as("rev1", "case", "list", "--json").decode(t, &page)
	require.Equal(t, ref, page.Cases[0].Case)
	page = review.CasePage{}
	b.as("rev1", "case", "find", string(ref), "--json").decode(t, &page)
	require.Equal(t, ref, page.Cases[0].Case)
	var answer review.VerbAnswer
	b.as("rev1", "case", "next", reviewtest.Queue, "--key", "k1", "--json").decode(t, &answer)
	require.Equal(t, ref, answer.Case)
	require.Equal(t, "k1", answer.Key)
	require.Equal(t, "null\n", b.as("rev1", "case", "next", reviewtest.Queue, "--json").good(t))
	var view review.CaseView
	b.as("rev1", "case", "show", string(ref), "--json").decode(t, &view)
	require.True(t, view.Mine)
	require.Equal(t, post, view.Evidence[0].Event.ID)
	var preview review.Preview
	b.as("rev1", "case", "opinion", string(ref), "--preview", "--file", b.form(casefile.L1, post), "--json").decode(t, &preview)
	require.NotEmpty(t, preview.Token)
	require.NotEmpty(t, preview.Notice)
	for _, verb := range [][]string{{"comment"}, {"release"}, {"claim"}, {"close", "--reason", "test", "--evidence-revision", "1"}} {
		answer = review.VerbAnswer{}
		b.typed("rev1", "words", append([]string{"case", verb[0], string(ref), "--json"}, verb[1:]...)...).decode(t, &answer)
		require.Equal(t, ref, answer.Case, verb)
		require.NotEmpty(t, answer.Key, verb)
	}
	var reopened review.Reopened
	b.as("lead", "case", "reopen", string(ref), "--json").decode(t, &reopened)
	require.NotEmpty(t, reopened.Case)
}

// TestPages goes through a list by its cursors.
func TestPages(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for n := range 3 {
		b.Open(n)
	}
	seen := map[casefile.CaseRef]bool{}
	args := []string{"case", "list", "--limit", "2"}
	first := b.as("rev1", args...).good(t)
	require.Contains(t, first, "more: --cursor ")
	var page review.CasePage
	for more := true; more; more = page.Next != "" {
		next := args
		if page.Next != "" {
			next = append(next, "--cursor", page.Next)
		}
		page = review.CasePage{}
		b.as("rev1", append(next, "--json")...).decode(t, &page)
		for _, c := range page.Cases {
			seen[c.Case] = true
		}
	}
	require.Len(t, seen, 3)
	require.Equal(t, "no cases\n", b.as("rev1", "case", "list", "--state", "closed").good(t))
}

// TestFind: words can stay out of the process list.
func TestFind(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ref, _ := b.Open(1)
	b.Open(2)
	require.Contains(t, b.typed("rev1", "account-1\n", "case", "find", "-").good(t), string(ref))
	require.Contains(t, b.typed("rev1", "account-1\n", "case", "find", "-").good(t), "1 found")
	require.Contains(t, b.as("rev1", "case", "find", "account-1").good(t), "1 found")
	require.Contains(t, b.typed("rev1", " \n", "case", "find", "-").bad(t), "no words")
	require.Contains(t, b.typed("rev1", strings.Repeat("x", maxFindBytes+1), "case", "find", "-").bad(t), "more than 4096 bytes")
	require.Contains(t, b.as("rev1", "case", "find", "--help").good(t), "process list")
}

// TestOpinionRefused: all faults at once, each with its field; nothing is decided.
func TestOpinionRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ref, post := b.Open(1)
	good := reviewtest.Form(casefile.L5, post)
	without := reviewtest.Form(casefile.L5, post)
	delete(without.Mitigations, casefile.M3)
	without.Rationale = "short"
	opinion := func(in string, args ...string) result {
		return b.typed("rev1", in, append([]string{"case", "opinion", string(ref)}, args...)...)
	}
	require.Contains(t, opinion(string(b.JSON(good)), "--evidence-revision", "1").bad(t), "claim it first")
	b.as("rev2", "case", "claim", string(ref)).good(t)
	require.Contains(t, opinion(string(b.JSON(good)), "--evidence-revision", "1").bad(t), "you do not hold case "+string(ref))
	b.as("rev2", "case", "release", string(ref)).good(t)
	b.as("rev1", "case", "claim", string(ref)).good(t)

	cases := map[string]struct {
		in   string
		args []string
		want []string
	}{
		"two faults":          {string(b.JSON(without)), []string{"--evidence-revision", "1"}, []string{"2 faults:", "\n  mitigations.M3: must be answered yes or no\n", "\n  rationale: "}},
		"an order by rev1":    {string(b.JSON(good)), []string{"--evidence-revision", "1", "--emergency"}, []string{"do not allow case.emergency"}},
		"new evidence":        {string(b.JSON(good)), []string{"--evidence-revision", "7"}, []string{"evidence came in"}},
		"evidence not told":   {string(b.JSON(good)), nil, []string{"--evidence-revision N"}},
		"no preview of ours":  {string(b.JSON(good)), []string{"--evidence-revision", "1", "--confirm", "x"}, []string{"preview: "}},
		"an unknown field":    {`{"rationle":"x"}`, []string{"--preview"}, []string{`unknown field "rationle"`}},
		"two forms":           {`{} {}`, []string{"--preview"}, []string{"something follows"}},
		"no form":             {``, []string{"--preview"}, []string{"the opinion form is empty"}},
		"another kind":        {`[]`, []string{"--preview"}, []string{"read the opinion form"}},
		"an endless form":     {strings.Repeat(" ", maxInputBytes+1), []string{"--preview"}, []string{"longer than"}},
		"a form that is gone": {"", []string{"--preview", "--file", b.data + "/none"}, []string{"no such file"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			told := opinion(c.in, c.args...).bad(t)
			for _, want := range c.want {
				require.Contains(t, told, want)
			}
		})
	}
	t.Run("preview with faults", func(t *testing.T) {
		r := opinion(string(b.JSON(without)), "--preview")
		require.Equal(t, 1, r.code)
		require.Empty(t, r.err, "what is wrong stands on standard output already")
		require.Contains(t, r.out, "fault in mitigations.M3: must be answered yes or no\n")
		require.NotContains(t, r.out, "--confirm")
		r = opinion(string(b.JSON(without)), "--preview", "--json")
		require.Equal(t, 1, r.code)
		var p review.Preview
		require.NoError(t, json.Unmarshal([]byte(r.out), &p))
		require.Len(t, p.Faults, 2)
	})
	var view review.CaseView
	b.as("rev1", "case", "show", string(ref), "--json").decode(t, &view)
	require.Nil(t, view.Decision)
	require.Equal(t, casefile.StateClaimed, view.State)
}

func TestFlagSubmit(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	other := b.Flag(1, "flag-1")
	other.Reasons[0].Weight = 6
	in := b.lines(b.Flag(1, "flag-1")) + "no JSON\n\n" + b.lines(b.Flag(2, "flag-2"), other)
	file := b.write("flags.ndjson", []byte(in))
	r := b.as("detector", "flag", "submit", file)
	require.Equal(t, 1, r.code)
	require.Empty(t, r.err)
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	require.Len(t, lines, 5)
	require.Regexp(t, `^line 1: (pending|accepted) flag-1`, lines[0])
	require.Regexp(t, `^line 2: refused: not valid JSON`, lines[1])
	require.Regexp(t, `^line 4: (pending|accepted) flag-2`, lines[2])
	require.Regexp(t, `^line 5: refused: id: `, lines[3])
	require.Equal(t, "2 flags accepted, 2 refused", lines[4])

	var codes []casefile.Code
	r = b.typed("detector", in, "flag", "submit", "-", "--json")
	require.Equal(t, 1, r.code)
	dec := json.NewDecoder(strings.NewReader(r.out))
	for dec.More() {
		var line intake.LineResult
		require.NoError(t, dec.Decode(&line))
		if line.Error != nil {
			codes = append(codes, line.Error.Code)
			continue
		}
		require.NotEmpty(t, line.Case, "the second time, the case is known")
	}
	require.Equal(t, []casefile.Code{casefile.CodeInvalid, casefile.CodeConflict}, codes)
	var page review.CasePage
	b.as("rev1", "case", "list", "--json").decode(t, &page)
	require.Len(t, page.Cases, 2, "twice is once")

	require.Equal(t, "0 flags accepted, 0 refused\n", b.typed("detector", "", "flag", "submit", "-").good(t))
	require.Contains(t, b.as("rev1", "flag", "submit", file).bad(t), "your roles do not allow flag.submit")
	require.Contains(t, b.as("detector", "flag", "submit", b.data+"/none").bad(t), "no such file")
	require.Contains(t, b.as("detector", "flag", "show", "none").bad(t), "no flag with this id")
}

// TestRoles runs each command as each demo person: whoever lacks the permission is told which.
func TestRoles(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ref, _ := b.Open(1)
	form := b.form(casefile.L0)
	commands := map[string]struct {
		args []string
		// need are the permissions asked for, in the order in which they are.
		need []string
	}{
		"queues":   {[]string{"case", "queues"}, []string{"queue.read"}},
		"list":     {[]string{"case", "list"}, []string{"case.list"}},
		"in queue": {[]string{"case", "list", "--queue", "general"}, []string{"queue.read"}},
		"find":     {[]string{"case", "find"}, []string{"case.find"}},
		"show":     {[]string{"case", "show", string(ref)}, []string{"case.read"}},
		"next":     {[]string{"case", "next", "none"}, []string{"case.next"}},
		"claim":    {[]string{"case", "claim", string(ref)}, []string{"case.claim"}},
		"release":  {[]string{"case", "release", string(ref), "--key", "k"}, []string{"case.read", "case.claim"}},
		"comment":  {[]string{"case", "comment", string(ref)}, []string{"case.comment"}},
		"preview":  {[]string{"case", "opinion", string(ref), "--preview", "--file", form}, []string{"case.opinion"}},
		"opinion":  {[]string{"case", "opinion", string(ref), "--evidence-revision", "9", "--file", form, "--key", "k"}, []string{"case.read", "case.opinion"}},
		"withdraw": {[]string{"case", "withdraw", string(ref)}, []string{"case.withdraw"}},
		"close":    {[]string{"case", "close", string(ref), "--reason", "test", "--evidence-revision", "9", "--key", "k"}, []string{"case.read", "case.close"}},
		"reopen":   {[]string{"case", "reopen", string(ref)}, []string{"case.reopen"}},
		"prove":    {[]string{"audit", "prove", string(ref)}, []string{"audit.read"}},
		"flag":     {[]string{"flag", "show", "flag-1"}, []string{"flag.read"}},
		"submit":   {[]string{"flag", "submit", "-"}, []string{"flag.submit"}},
	}
	for name, c := range commands {
		for _, login := range []string{"rev1", "senior", "lead", "policy", "auditor", "admin", "detector"} {
			refused := ""
			for _, p := range c.need {
				if refused == "" && !may(b, login, p) {
					refused = p
				}
			}
			r := b.as(login, c.args...)
			if refused != "" {
				require.Contains(t, r.bad(t), "your roles do not allow "+refused, "%s as %s", name, login)
				continue
			}
			require.NotContains(t, r.err, "your roles", "%s as %s", name, login)
		}
	}
}

func may(b *bench, login, permission string) bool {
	who := b.Who(login)
	err := who.Require(access.Permission(permission))
	return err == nil
}

func TestMisuse(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ref, _ := b.Open(1)
	cases := map[string]struct {
		args []string
		want string
	}{
		"no such command":        {[]string{"bogus"}, `unknown command "bogus"`},
		"no such case command":   {[]string{"case", "bogus"}, `unknown command "bogus" for "docket case"; there are claim,`},
		"no such flag command":   {[]string{"flag", "bogus"}, "submit"},
		"no such audit command":  {[]string{"audit", "bogus"}, "verify"},
		"no such option":         {[]string{"case", "list", "--bogus"}, "unknown flag: --bogus (see docket case list --help)"},
		"no case":                {[]string{"case", "show"}, "got 0 arguments; usage: docket case show CASE"},
		"two cases":              {[]string{"case", "show", "a", "b"}, "got 2 arguments; usage: "},
		"words apart":            {[]string{"case", "find", "a", "b"}, "docket case find [WORDS|-]"},
		"no queue":               {[]string{"case", "next"}, "docket case next QUEUE"},
		"no file":                {[]string{"flag", "submit"}, "docket flag submit FILE|-"},
		"a word too many":        {[]string{"audit", "verify", "x"}, "got 1 arguments"},
		"not a case number":      {[]string{"case", "show", "nonsense"}, "ten letters and digits"},
		"no such case":           {[]string{"case", "show", "00000-00000"}, "there is no case 00000-00000"},
		"state and queue":        {[]string{"case", "list", "--state", "queued", "--queue", "general"}, "do not go together"},
		"no such state":          {[]string{"case", "list", "--state", "x"}, "state: "},
		"a page too long":        {[]string{"case", "list", "--limit", "500"}, "limit: "},
		"a limit of words":       {[]string{"case", "list", "--limit", "x"}, `invalid argument "x"`},
		"another list's cursor":  {[]string{"case", "list", "--cursor", "x"}, "cursor: "},
		"no such purpose":        {[]string{"case", "show", string(ref), "--purpose", "x"}, "purpose"},
		"no reason":              {[]string{"case", "close", string(ref)}, "--reason must be one of"},
		"a reason of the system": {[]string{"case", "close", string(ref), "--reason", "decided"}, "--reason must be one of"},
		"evidence not told":      {[]string{"case", "close", string(ref), "--reason", "test"}, "--evidence-revision N"},
		"a claim of nobody":      {[]string{"case", "release", string(ref)}, "claim it first"},
		"an empty comment":       {[]string{"case", "comment", string(ref)}, "text: "},
		"a key of two lines":     {[]string{"case", "claim", string(ref), "--key", "a\nb"}, "--key must not hold"},
		"no decision":            {[]string{"audit", "prove", string(ref)}, "the case has no decision"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := b.as("rev1", c.args...)
			require.Contains(t, r.bad(t), c.want)
			require.Empty(t, r.out, "no usage text and no half answer")
		})
	}
	for _, args := range [][]string{nil, {"case"}, {"flag"}, {"audit"}, {"help"}, {"case", "opinion", "--help"}} {
		require.Contains(t, docket(t, nil, "", args...).good(t), "Usage:", args)
	}
}

// TestSecondLook: a post that came in after the last look is marked.
func TestSecondLook(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ref, _ := b.Open(1)
	require.NotContains(t, b.as("rev1", "case", "show", string(ref)).good(t), "\n+ ")
	b.Clock.Add(1e9)
	b.Submit(b.Flag(1, "flag-more", b.Post(1, "post-more", "another text")))
	shown := b.as("rev1", "case", "show", string(ref)).good(t)
	require.Regexp(t, `(?m)^\+ .*\[post-more\] another text$`, shown)
	require.Contains(t, shown, "Evidence revision "+strconv.Itoa(2))
}
