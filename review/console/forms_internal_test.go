package console

import (
	"net/url"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

// sentBack is a form of the fields that a page sends on and of those that it shows.
func sentBack(fields []field, shown map[string]string) url.Values {
	out := url.Values{}
	for _, f := range fields {
		out.Add(f.Name, f.Value)
	}
	for name, value := range shown {
		if value != "" {
			out.Set(name, value)
		}
	}
	return out
}

// FuzzVerbForm: a form of any content is read without a fault of ours; what is read comes back from
// the page that shows it again; and a time that it names lies where it says, or is a fault.
func FuzzVerbForm(f *testing.F) {
	f.Add("claim=3&evidence=2&purpose=review&key=k&reason=why%0D%0Aso&in=4h&go=on&sure=on")
	f.Add("in=at&at=2026-03-04T10%3A30&to=rev2&queue=lead&kind=legal&deadline=touch&decision=01H")
	f.Add("in=9999999h&at=%00%FF&reason=%E2%80%AE&claim=-1")
	f.Add("in=-1h&at=9999-12-31T23:59:59Z")
	f.Fuzz(func(t *testing.T, raw string) {
		v, _ := url.ParseQuery(raw)
		form := readVerbForm(v)
		if form.Claim < 0 || form.Evidence < 0 || !utf8.ValidString(form.Reason+form.To+form.At) {
			t.Fatalf("not clean: %+v", form)
		}
		again := sentBack(append(form.fence(), field{"decision", form.Decision}, field{"key", form.Key}), map[string]string{
			"reason": form.Reason, "in": form.In, "at": form.At, "to": form.To, "queue": form.Queue, "kind": form.Kind, "deadline": form.Deadline,
		})
		if form.Sure {
			again.Set("sure", "on")
		}
		if form.Go {
			again.Set("go", "on")
		}
		require.Equal(t, form, readVerbForm(again))
		now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
		at, err := form.moment("until", now)
		switch {
		case err != nil:
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
		case at.Location() != time.UTC:
			t.Fatalf("%v is not in UTC", at)
		case form.In != inAt && form.In != "" && !at.After(now):
			t.Fatalf("%q is not ahead of now: %v", form.In, at)
		}
	})
}

// FuzzSettleForm: what a person saw comes back as it was, and no outcome is made up.
func FuzzSettleForm(f *testing.F) {
	f.Add("decision=01H&number=1&direction=do&looked=the%20page&saw=it%0D%0Ais%20there&outcome=done&key=k&back=7K2QX-9MDT4")
	f.Add("number=-4&outcome=maybe&looked=%00%20&saw=%FF")
	f.Fuzz(func(t *testing.T, raw string) {
		v, _ := url.ParseQuery(raw)
		form := readSettleForm(v)
		if form.Number < 0 || !utf8.ValidString(form.reason()) {
			t.Fatalf("not clean: %+v", form)
		}
		if form.faults().Err() == nil && form.Outcome != actHappened && form.Outcome != actDidNot {
			t.Fatalf("an outcome was made up: %+v", form)
		}
		again := url.Values{
			"decision": {form.Decision}, "number": {v.Get("number")}, "direction": {form.Direction}, "looked": {form.Looked}, "saw": {form.Saw},
			"outcome": {form.Outcome}, "key": {form.Key}, "back": {form.Back},
		}
		require.Equal(t, form, readSettleForm(again))
	})
}

// FuzzRuling: a ruling comes back from the hidden fields of its preview as it was.
func FuzzRuling(f *testing.F) {
	f.Add("outcome=upheld&rationale=why%0D%0Aso&claim=2&preview=t&key=k&sure=on")
	f.Add("outcome=%FF&rationale=%00%E2%80%AE&claim=x")
	f.Fuzz(func(t *testing.T, raw string) {
		v, _ := url.ParseQuery(raw)
		form := readRuling(v)
		again := sentBack(form.values(), map[string]string{"preview": form.Preview, "key": form.Key})
		if form.Sure {
			again.Set("sure", "on")
		}
		require.Equal(t, form, readRuling(again))
	})
}

// FuzzPersonForm: somebody to be added is read without a fault of ours, and as it was sent.
func FuzzPersonForm(f *testing.F) {
	f.Add("login=newcomer&name=Somebody%20New&team=review&roles=reviewer&roles=senior")
	f.Add("login=%00&name=%FF&roles=&roles=x&roles=x")
	f.Fuzz(func(t *testing.T, raw string) {
		v, _ := url.ParseQuery(raw)
		form := readPersonForm(v)
		if !utf8.ValidString(form.Login + form.Name + form.Team) {
			t.Fatalf("not clean: %+v", form)
		}
		require.Len(t, form.call().Roles, len(form.Roles))
		require.Equal(t, form, readPersonForm(url.Values{"login": {form.Login}, "name": {form.Name}, "team": {form.Team}, "roles": form.Roles}))
	})
}

// FuzzSwitchForms: a pause, a resumption and a word on automation are read as they were sent.
func FuzzSwitchForms(f *testing.F) {
	f.Add("platform=example&reason=why%0D%0Aso&on=on&sure=on")
	f.Add("platform=%00&reason=%FF&on=off")
	f.Fuzz(func(t *testing.T, raw string) {
		v, _ := url.ParseQuery(raw)
		s := readSwitchForm(v)
		require.Equal(t, s, readSwitchForm(url.Values{"platform": {s.Platform}, "reason": {s.Reason}}))
		a := readAutomationForm(v)
		if a.On && v.Get("on") != "on" {
			t.Fatal("rules were let loose by another word")
		}
		require.Equal(t, a.Reason, s.Reason)
	})
}

// FuzzFlash: a cookie may hold anything; a word shown from it holds codes alone.
func FuzzFlash(f *testing.F) {
	f.Add("decided~7K2QX-9MDT4~1772445600~0~")
	f.Add("paused~~~12~example")
	f.Add("~~~~<b>")
	f.Fuzz(func(t *testing.T, value string) {
		flash := readFlash(value)
		if flash == nil {
			return
		}
		if flash.Name != "" && !flashName.MatchString(flash.Name) || flash.Count < 0 {
			t.Fatalf("not clean: %+v", flash)
		}
		if flash.Case != "" {
			_, err := casefile.ParseCaseRef(string(flash.Case))
			require.NoError(t, err)
		}
	})
}

func TestLengthsInWords(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration][2]string{
		30 * time.Minute: {"30m", "30 minutes"}, time.Hour: {"1h", "1 hour"}, 24 * time.Hour: {"24h", "24 hours"}, casefile.MaxSnooze: {"168h", "7 days"},
	} {
		require.Equal(t, want, [2]string{shortDuration(d), longDuration(d)})
		read, err := time.ParseDuration(shortDuration(d))
		require.NoError(t, err)
		require.Equal(t, d, read)
	}
}
