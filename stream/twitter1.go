package stream

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
)

const platformTwitter = "twitter"

// The parts of a Twitter v1.1 post that are read; all others are ignored.
type tweet1 struct {
	ID        json.Number `json:"id"`
	IDStr     string      `json:"id_str"`
	CreatedAt string      `json:"created_at"`
	Text      string      `json:"text"`
	FullText  string      `json:"full_text"`
	Lang      string      `json:"lang"`
	User      *user1      `json:"user"`
	ReplyTo   string      `json:"in_reply_to_status_id_str"`
	Entities  entities1   `json:"entities"`
	ExtEnt    entities1   `json:"extended_entities"`
	Extended  *extended1  `json:"extended_tweet"`
	Retweeted *tweet1     `json:"retweeted_status"`
	Delete    *delete1    `json:"delete"`
}

type user1 struct {
	ID          json.Number `json:"id"`
	IDStr       string      `json:"id_str"`
	ScreenName  string      `json:"screen_name"`
	Name        string      `json:"name"`
	Description string      `json:"description"`
	CreatedAt   string      `json:"created_at"`
	Followers   *int64      `json:"followers_count"`
	Friends     *int64      `json:"friends_count"`
	Statuses    *int64      `json:"statuses_count"`
}

type extended1 struct {
	FullText string    `json:"full_text"`
	Entities entities1 `json:"entities"`
	ExtEnt   entities1 `json:"extended_entities"`
}

type entities1 struct {
	URLs []struct {
		URL      string `json:"url"`
		Expanded string `json:"expanded_url"`
	} `json:"urls"`
	Mentions []struct {
		ScreenName string `json:"screen_name"`
	} `json:"user_mentions"`
	Media []struct {
		Type     string `json:"type"`
		MediaURL string `json:"media_url_https"`
	} `json:"media"`
}

type delete1 struct {
	Status struct {
		IDStr     string `json:"id_str"`
		UserIDStr string `json:"user_id_str"`
	} `json:"status"`
	TimestampMS string `json:"timestamp_ms"`
}

// decodeTwitter1 makes an event of one line of Twitter/X API v1.1: a post with its user inside, or
// a deletion notice. A repost carries the whole text of the original behind "RT @name:". A quoted
// post's words are another person's and are left out. Errors are CodeInvalid and name the field.
func decodeTwitter1(line []byte) (casefile.Event, error) {
	var t tweet1
	err := json.Unmarshal(line, &t)
	if err != nil {
		return casefile.Event{}, jsonError(err)
	}
	if t.Delete != nil {
		return t.Delete.event()
	}
	if t.User == nil {
		return casefile.Event{}, casefile.Invalid("user", "required: not a post")
	}
	e := casefile.Event{
		Kind:     casefile.EventPost,
		Platform: platformTwitter,
		ID:       idOf(t.IDStr, t.ID),
		Text:     t.fullText(),
		Lang:     t.Lang,
		ReplyTo:  t.ReplyTo,
	}
	if e.Lang == "und" {
		e.Lang = ""
	}
	e.At, err = time.Parse(time.RubyDate, t.CreatedAt)
	if err != nil {
		return casefile.Event{}, casefile.Invalid("created_at", "required, as in Mon Jan 02 15:04:05 -0700 2006")
	}
	e.Account, err = t.User.account()
	if err != nil {
		return casefile.Event{}, err
	}
	t.addEntities(&e)
	if rt := t.Retweeted; rt != nil {
		e.RepostOf = idOf(rt.IDStr, rt.ID)
		if rt.User != nil {
			e.Text = "RT @" + rt.User.ScreenName + ": " + rt.fullText()
		}
		rt.addEntities(&e)
	}
	err = e.Normalize("")
	if err != nil {
		return casefile.Event{}, fmt.Errorf("check the post: %w", err)
	}
	return e, nil
}

func (d *delete1) event() (casefile.Event, error) {
	ms, err := strconv.ParseInt(d.TimestampMS, 10, 64)
	if err != nil || ms <= 0 {
		return casefile.Event{}, casefile.Invalid("delete.timestamp_ms", "required: milliseconds since 1970")
	}
	e := casefile.Event{
		Kind:     casefile.EventDelete,
		Platform: platformTwitter,
		ID:       d.Status.IDStr,
		Account:  casefile.Account{ID: d.Status.UserIDStr},
		At:       time.UnixMilli(ms).UTC(),
	}
	err = e.Normalize("")
	if err != nil {
		return casefile.Event{}, fmt.Errorf("check the deletion: %w", err)
	}
	return e, nil
}

func (u *user1) account() (casefile.Account, error) {
	a := casefile.Account{
		ID:          idOf(u.IDStr, u.ID),
		Handle:      u.ScreenName,
		DisplayName: unescape1(u.Name),
		Bio:         unescape1(u.Description),
		Followers:   u.Followers,
		Following:   u.Friends,
		Posts:       u.Statuses,
	}
	if u.CreatedAt != "" {
		t, err := time.Parse(time.RubyDate, u.CreatedAt)
		if err != nil {
			return casefile.Account{}, casefile.Invalid("user.created_at", "not a time as in Mon Jan 02 15:04:05 -0700 2006")
		}
		t = t.UTC()
		a.CreatedAt = &t
	}
	return a, nil
}

func (t *tweet1) fullText() string {
	switch {
	case t.Extended != nil && t.Extended.FullText != "":
		return unescape1(t.Extended.FullText)
	case t.FullText != "":
		return unescape1(t.FullText)
	}
	return unescape1(t.Text)
}

// addEntities adds what the post links to, each thing once.
func (t *tweet1) addEntities(e *casefile.Event) {
	sets := []entities1{t.Entities, t.ExtEnt}
	if t.Extended != nil {
		sets = append(sets, t.Extended.Entities, t.Extended.ExtEnt)
	}
	for _, set := range sets {
		for _, u := range set.URLs {
			link := u.Expanded
			if link == "" {
				link = u.URL
			}
			if link != "" && !slices.Contains(e.URLs, link) {
				e.URLs = append(e.URLs, link)
			}
		}
		for _, m := range set.Mentions {
			if m.ScreenName != "" && !slices.Contains(e.Mentions, m.ScreenName) {
				e.Mentions = append(e.Mentions, m.ScreenName)
			}
		}
		for _, m := range set.Media {
			media := casefile.Media{Type: m.Type, URL: m.MediaURL}
			if m.Type != "" && !slices.Contains(e.Media, media) {
				e.Media = append(e.Media, media)
			}
		}
	}
}

func idOf(str string, number json.Number) string {
	if str != "" {
		return str
	}
	return number.String()
}

// Twitter v1.1 escapes these three in texts, and nothing else.
var unescaper1 = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">")

func unescape1(s string) string { return unescaper1.Replace(s) }

// jsonError turns an encoding/json error into one that names the field and holds no content.
func jsonError(err error) error {
	var typeErr *json.UnmarshalTypeError
	var syntaxErr *json.SyntaxError
	switch {
	case errors.As(err, &typeErr):
		kind, _, _ := strings.Cut(typeErr.Value, " ") // a number stands behind its kind
		return casefile.Invalid(typeErr.Field, "a JSON %s does not fit here", kind)
	case errors.As(err, &syntaxErr):
		return casefile.Errorf(casefile.CodeInvalid, "not valid JSON at byte %d", syntaxErr.Offset)
	}
	return casefile.Errorf(casefile.CodeInvalid, "not valid JSON")
}
