package detector

import (
	"container/list"
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/docket-triage/docket/casefile"
)

// What is kept of one event. Longer texts are read and kept up to here, on a boundary between
// runes; events with longer ids are refused.
const (
	maxTextBytes    = 64 << 10
	maxProfileBytes = 4 << 10
	maxIDBytes      = 512
	maxLinks        = 50
)

// maxCleanProfiles bounds the memory of profiles in which nothing was found.
const maxCleanProfiles = 1 << 16

// Stats count what a detector has seen since New or Restore.
type Stats struct {
	Events  int64 `json:"events"`
	Posts   int64 `json:"posts"`   // edits included
	Refused int64 `json:"refused"` // events that handles refuses
	Late    int64 `json:"late"`    // posts older than their account's window
	Evicted int64 `json:"evicted"` // accounts dropped because there were too many
	Flags   int64 `json:"flags"`
	// Accounts is how many have a window now.
	Accounts int `json:"accounts"`
	// FlagsByRule counts, for each rule, the flags that name it.
	FlagsByRule map[string]int64 `json:"flags_by_rule"`
}

// Detector keeps the windows of accounts. It belongs to one goroutine.
type Detector struct {
	rules    *Rules
	accounts map[string]*account
	quiet    *list.List // of *account; the one whose last hit is longest ago is in front
	clean    map[uint64]struct{}
	scratch  scratch
	stats    Stats
	erased   int64 // number of the last erasure whose account was forgotten
}

// New makes a detector with empty windows.
func New(rules *Rules) *Detector {
	d := &Detector{rules: rules}
	d.reset()
	return d
}

func (d *Detector) reset() {
	d.accounts = map[string]*account{}
	d.quiet = list.New()
	d.clean = map[uint64]struct{}{}
	d.stats = Stats{FlagsByRule: map[string]int64{}}
}

// Rules gives the rule set.
func (d *Detector) Rules() *Rules { return d.rules }

// Stats gives the counts so far.
func (d *Detector) Stats() Stats {
	s := d.stats
	s.Accounts = len(d.accounts)
	s.FlagsByRule = make(map[string]int64, len(d.stats.FlagsByRule))
	for rule, n := range d.stats.FlagsByRule {
		s.FlagsByRule[rule] = n
	}
	return s
}

// Process takes in one event, checked as casefile.ParseEvent checks it. It gives the flags that the
// event brings about (none or one today), and whether the event's account is watched afterwards.
// The event may be changed by the caller later; what is kept of it is kept apart.
func (d *Detector) Process(ev *casefile.Event) (flags []casefile.Flag, watched bool) {
	d.stats.Events++
	if !handles(ev) {
		d.stats.Refused++
		return nil, d.rules.Settings.Watch == WatchAll
	}
	key := ev.Platform + "\x00" + ev.Account.ID
	a := d.accounts[key]
	switch ev.Kind {
	case casefile.EventAccountGone:
		if a != nil {
			d.remove(a)
		}
		return nil, d.rules.Settings.Watch == WatchAll
	case casefile.EventDelete:
		if a != nil {
			a.touch(ev, d.rules.Settings.Window)
			if i, c := a.post(ev.ID); c != nil && !c.Flagged {
				a.drop(i)
			}
		}
		return nil, d.watched(a)
	}
	fresh := a == nil
	if fresh {
		a = &account{key: key, Platform: ev.Platform, Last: ev.At}
	}
	a.touch(ev, d.rules.Settings.Window)
	hit := d.readProfile(a, fresh)
	if ev.Kind == casefile.EventPost || ev.Kind == casefile.EventEdit {
		d.stats.Posts++
		hit = d.readPost(a, ev) || hit
	}
	if fresh && !hit {
		return nil, d.watched(nil)
	}
	if fresh {
		d.insert(a)
	}
	if hit {
		d.quiet.MoveToBack(a.place)
		flag, ok := d.flag(a)
		if ok {
			flags = append(flags, flag)
		}
	}
	return flags, d.watched(a)
}

// handles reports whether an event can stand in a flag: ids of a sane length, times that have an
// RFC 3339 form.
func handles(ev *casefile.Event) bool {
	created := ev.Account.CreatedAt
	return len(ev.Account.ID) <= maxIDBytes && len(ev.ID) <= maxIDBytes &&
		hasForm(ev.At) && (created == nil || hasForm(*created))
}

func hasForm(t time.Time) bool { return t.Year() >= 0 && t.Year() <= 9999 }

// Forget drops everything that is known of an account, for erasure.
func (d *Detector) Forget(ref casefile.AccountRef) {
	a := d.accounts[ref.Platform+"\x00"+ref.ID]
	if a != nil {
		d.remove(a)
	}
}

// ForgetErased drops everything that is known of the accounts that were erased, and notes the sequence number
// up to which erasures are known, which the next snapshot keeps.
func (d *Detector) ForgetErased(seq int64, erased func(casefile.AccountRef) bool) {
	for _, a := range d.accounts {
		if erased(casefile.AccountRef{Platform: a.Platform, ID: strings.TrimPrefix(a.key, a.Platform+"\x00")}) {
			d.remove(a)
		}
	}
	d.erased = max(d.erased, seq)
}

// Erased is the sequence number up to which erasures are known; 0 for none.
func (d *Detector) Erased() int64 { return d.erased }

func (d *Detector) insert(a *account) {
	for len(d.accounts) >= d.rules.Settings.MaxAccounts {
		d.remove(d.quiet.Front().Value.(*account))
		d.stats.Evicted++
	}
	d.accounts[a.key] = a
	a.place = d.quiet.PushBack(a)
}

func (d *Detector) remove(a *account) {
	delete(d.accounts, a.key)
	d.quiet.Remove(a.place)
}

func (d *Detector) watched(a *account) bool {
	switch d.rules.Settings.Watch {
	case WatchAll:
		return true
	case WatchNone:
		return false
	}
	return a != nil && !a.empty()
}

// touch takes over what an event tells of the account and its time.
func (a *account) touch(ev *casefile.Event, window time.Duration) {
	newer := ev.Account
	newer.Handle = cut(newer.Handle, maxProfileBytes)
	newer.DisplayName = cut(newer.DisplayName, maxProfileBytes)
	newer.Bio = cut(newer.Bio, maxProfileBytes)
	if ev.At.Before(a.Last) {
		// A late event only fills in what is not known yet.
		a.Account = newer.Merge(a.Account)
	} else {
		a.Account = a.Account.Merge(newer)
		a.Last = ev.At
	}
	a.forgetOld(window)
}

// readProfile reads the profile if it is not the one read last. It reports whether there is
// something new in it.
func (d *Detector) readProfile(a *account, fresh bool) bool {
	p := &a.Account
	digest := digestOf(p.Handle, p.DisplayName, p.Bio)
	if digest == a.ProfileOf {
		return false
	}
	a.ProfileOf = digest
	if fresh {
		if _, ok := d.clean[digest]; ok {
			return false
		}
	}
	s := &d.scratch
	s.hits = s.hits[:0]
	d.rules.matcher.find(s, FieldHandle, p.Handle, "")
	d.rules.matcher.find(s, FieldDisplayName, p.DisplayName, "")
	d.rules.matcher.find(s, FieldBio, p.Bio, "")
	r := d.rules.matcher.read(d.rules.Rules, d.rules.Settings, s.hits)
	if len(r.hits) == 0 {
		a.Profile = nil
		if len(d.clean) >= maxCleanProfiles {
			clear(d.clean)
		}
		d.clean[digest] = struct{}{}
		return false
	}
	digest = digestOf(hitFields(p, r.hits)...)
	if a.Profile != nil && a.Profile.Digest == digest {
		return false // only fields without a hit have changed
	}
	a.Profile = &contribution{
		Event:   casefile.Event{Kind: casefile.EventAccount, Platform: a.Platform, Account: a.Account, At: a.Last},
		Digest:  digest,
		Groups:  r.groups,
		Hits:    r.hits,
		Factor:  1,
		Profile: true,
	}
	return true
}

// hitFields are the profile fields in which something was found, with their names.
func hitFields(p *casefile.Account, hits []ruleHit) []string {
	found := map[Field]bool{}
	for _, h := range hits {
		for _, t := range h.Spans {
			found[t.Field] = true
		}
	}
	var out []string
	for _, f := range fields {
		if !found[f] {
			continue
		}
		switch f {
		case FieldHandle:
			out = append(out, string(f), p.Handle)
		case FieldDisplayName:
			out = append(out, string(f), p.DisplayName)
		case FieldBio:
			out = append(out, string(f), p.Bio)
		}
	}
	return out
}

// readPost reads the text of a post or edit and puts what it found into the window. It reports
// whether there is something new in it.
func (d *Detector) readPost(a *account, ev *casefile.Event) bool {
	if ev.At.Before(a.Last.Add(-d.rules.Settings.Window)) {
		d.stats.Late++
		return false
	}
	at, known := a.post(ev.ID)
	if known != nil && ev.Kind == casefile.EventPost {
		return false // delivered again
	}
	text := cut(ev.Text, maxTextBytes)
	s := &d.scratch
	s.hits = s.hits[:0]
	d.rules.matcher.find(s, FieldPost, text, ev.Lang)
	if known != nil && !known.Flagged && known.Event.Text != text {
		a.drop(at)
	}
	if len(s.hits) == 0 {
		return false
	}
	r := d.rules.matcher.read(d.rules.Rules, d.rules.Settings, s.hits)
	digest := wordsDigest(s.folded)
	if len(r.hits) == 0 || a.says(digest) {
		return false
	}
	c := &contribution{Event: keep(ev, text), Digest: digest, Groups: r.groups, Hits: r.hits, Factor: 1, Edited: ev.Kind == casefile.EventEdit}
	if ev.RepostOf != "" {
		c.Factor = d.rules.Settings.RepostFactor
	}
	a.add(c, d.rules.Settings.MaxPosts)
	return true
}

// keep copies what evidence needs of an event. The account stands in the flag already.
func keep(ev *casefile.Event, text string) casefile.Event {
	out := *ev
	out.Text = text
	out.Account = casefile.Account{ID: ev.Account.ID}
	out.URLs = append([]string(nil), ev.URLs[:min(len(ev.URLs), maxLinks)]...)
	out.Mentions = append([]string(nil), ev.Mentions[:min(len(ev.Mentions), maxLinks)]...)
	out.Media = append([]casefile.Media(nil), ev.Media[:min(len(ev.Media), maxLinks)]...)
	return out
}

// cut shortens s to at most n bytes, between runes.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// wordsDigest tells texts of the same words apart from others, so that reposts and copies count
// once: names addressed, links and the mark of a repost are left out.
func wordsDigest(folded []byte) uint64 {
	var words []string
	for _, w := range strings.Fields(string(folded)) {
		if w == "rt" || strings.HasPrefix(w, "@") || strings.Contains(w, "://") {
			continue
		}
		words = append(words, w)
	}
	return digestOf(words...)
}

func digestOf(parts ...string) uint64 {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return binary.BigEndian.Uint64(sum[:])
}
