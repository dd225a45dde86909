package console

import (
	"net/url"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

// FuzzDraft: a form of any content is read without a fault of ours, and what is read comes back
// from the hidden fields of the preview as it was.
func FuzzDraft(f *testing.F) {
	f.Add("action=L3&days=7&policies=VE-08&policies=VE-09&primary=VE-09&entity_tier=E1&M1=no&M8=yes&relied=post-1&relied=profile&rationale=why%0D%0Aso&next=on&claim=3&evidence=2")
	f.Add("relied=%00%FF&relied=b64.AA&rationale=%E2%80%AE&claim=-1&evidence=99999999999999999999")
	f.Add("primary=%FE%28%0A%00")
	f.Add("policies=&policies=VE-08&policies=VE-08&primary=VE-99")
	f.Fuzz(func(t *testing.T, raw string) {
		v, _ := url.ParseQuery(raw)
		d := readDraft(v)
		if !utf8.ValidString(d.Rationale) || d.Claim < 0 || d.Evidence < 0 {
			t.Fatalf("not clean: %+v", d)
		}
		form, _ := d.Form()
		_ = form.Validate()
		if len(form.Policies) != len(d.Policies) {
			t.Fatalf("codes were lost: %v of %v", form.Policies, d.Policies)
		}
		again := url.Values{}
		for _, x := range d.values() {
			again.Add(x.Name, x.Value)
		}
		again.Set("preview", d.Preview)
		again.Set("key", d.Key)
		require.Equal(t, d, readDraft(again))
	})
}

func FuzzRely(f *testing.F) {
	for _, id := range []string{"post-1", "", "b64.", "b64.AA", "a\r\nb", "\x00\xff", "\u202e", "profile"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		value := relyValue(id)
		if got := relyID(value); got != id {
			t.Fatalf("%q came back as %q", id, got)
		}
		for _, r := range value {
			if r < ' ' || r == utf8.RuneError && id != value {
				t.Fatalf("%q does not survive a form", value)
			}
		}
	})
}

func TestStretchFindsTheNewest(t *testing.T) {
	t.Parallel()
	for name, seqs := range map[string][]int64{
		"none": nil, "one": {1}, "two": {1, 2}, "gaps": {3, 9, 10, 4000, 4001, 1 << 40}, "first is large": {77},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			list, err := stretch(0, func(after int64, limit int) ([]int64, error) {
				asked++
				var out []int64
				for _, s := range seqs {
					if s > after && len(out) < limit {
						out = append(out, s)
					}
				}
				return out, nil
			}, func(s int64) int64 { return s })
			require.NoError(t, err)
			require.Less(t, asked, 100)
			if len(seqs) == 0 {
				require.Empty(t, list.Rows)
				return
			}
			require.Equal(t, seqs[len(seqs)-1], list.Last)
			require.Equal(t, list.Last, list.Rows[0])
		})
	}
}

func TestFormNamesWhatIsTicked(t *testing.T) {
	t.Parallel()
	d := Draft{Policies: []string{"VE-03", "VE-08"}, Primary: "VE-08"}
	form, faults := d.Form()
	require.Empty(t, faults)
	require.Equal(t, []casefile.PolicyCode{casefile.VE08, casefile.VE03}, form.Policies)
	d.Primary = ""
	_, faults = d.Form()
	require.Equal(t, "policies", faults[0].Field)
}
