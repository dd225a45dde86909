package evidence

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// minNearRunes is the shortest skeleton that has near forms: shorter ones would be near to half of
// all short names, so they match only themselves.
const minNearRunes = 5

// maxHandleRunes bounds the work for one handle; no platform's handle is longer (a Bluesky handle,
// the longest, has at most 253 characters).
const maxHandleRunes = 256

// continuations are the words that people hang on a handle when they return under a like one.
var continuations = map[string]bool{
	"ac": true, "acc": true, "account": true, "again": true, "alt": true, "back": true, "backup": true,
	"ii": true, "iii": true, "new": true, "official": true, "real": true, "reborn": true, "reserve": true,
	"return": true, "returned": true, "returns": true, "second": true, "v": true,
}

// HandleHashes gives the keyed hashes, sorted, of the handle's forms: its skeleton, the skeleton of
// the handle without what is hung on its end (digits, separators, words such as "_returns"), and each
// of those with one character left out. Two handles of one platform whose skeletons are one insertion,
// deletion, substitution or swap of neighbours apart share a hash; so may some that are two apart.
// A form of fewer than five characters matches only itself. A handle with no visible character has none.
func (i *identity) HandleHashes(platform, handle string) []string {
	handle = bareHandle(handle)
	var hashes []string
	add := func(label, form string) { hashes = append(hashes, i.name(label, platform, form)) }
	for _, form := range i.handleForms(handle) {
		if utf8.RuneCountInString(form) < minNearRunes {
			add(labelHandleExact, form)
			continue
		}
		add(labelHandleNear, form)
		for at, r := range form {
			add(labelHandleNear, form[:at]+form[at+utf8.RuneLen(r):])
		}
	}
	slices.Sort(hashes)
	return slices.Compact(hashes)
}

func (i *identity) HandleHash(platform, handle string) string {
	form := i.form(bareHandle(handle))
	if form == "" {
		return ""
	}
	return i.name(labelHandleFind, platform, form)
}

// bareHandle is a handle without what people type around it.
func bareHandle(handle string) string { return strings.TrimPrefix(strings.TrimSpace(handle), "@") }

// handleForms gives the skeleton and, where it differs and is long enough to say something, the
// skeleton of the stem. The stem is cut before folding: a skeleton may have turned digits to letters.
func (i *identity) handleForms(handle string) []string {
	whole := i.form(handle)
	if whole == "" {
		return nil
	}
	stem := i.form(handleStem(handle))
	if stem == whole || utf8.RuneCountInString(stem) < minNearRunes {
		return []string{whole}
	}
	return []string{whole, stem}
}

func (i *identity) form(s string) string {
	s = strings.ToValidUTF8(i.skeleton(s), "\uFFFD")
	if utf8.RuneCountInString(s) > maxHandleRunes {
		s = string([]rune(s)[:maxHandleRunes])
	}
	return s
}

// handleStem cuts digits, separators and continuation words off the end of the handle's name, which
// ends at the first '.' or '@' ("name_returns2.example.org" has the stem "name.example.org"). A word
// counts only behind a separator.
func handleStem(handle string) string {
	name, rest := handle, ""
	end := strings.IndexAny(handle, ".@")
	if end > 0 {
		name, rest = handle[:end], handle[end:]
	}
	for {
		name = strings.TrimRightFunc(name, func(r rune) bool { return r == '_' || r == '-' || unicode.IsDigit(r) })
		cut := strings.LastIndexAny(name, "_-")
		if cut <= 0 || !continuations[strings.ToLower(name[cut+1:])] {
			return name + rest
		}
		name = name[:cut]
	}
}
