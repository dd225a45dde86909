package detector

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/detector/fold"
)

// EngineVersion changes whenever the same rules on the same stream would give other flags. It is
// part of every rule-set version, together with fold.Version.
const EngineVersion = "1"

// Watch says whose posts go to the history index.
type Watch string

// The settings of Watch.
const (
	WatchHits Watch = "hits" // accounts with a rule hit in their window
	WatchAll  Watch = "all"
	WatchNone Watch = "none"
)

// Field is a place where a rule's terms are looked for.
type Field string

// The fields. FieldPost is the text of posts; the others are the account's profile.
const (
	FieldPost        Field = "post"
	FieldHandle      Field = "handle"
	FieldDisplayName Field = "display_name"
	FieldBio         Field = "bio"
)

// fields are all of them; a rule's set of fields is a mask over their places here.
var fields = []Field{FieldPost, FieldHandle, FieldDisplayName, FieldBio}

// Within says where a required group must stand: in the same post (or profile), or anywhere in the
// account's window.
type Within string

// The reaches of a requirement.
const (
	WithinPost   Within = "post"
	WithinWindow Within = "window"
)

// Settings are the numbers of a rule set. Times are event times.
type Settings struct {
	Threshold    float64       `json:"threshold"`     // score from which an account is flagged
	CoolDown     time.Duration `json:"cool_down"`     // after a flag, none for so long, urgent rules excepted
	Window       time.Duration `json:"window"`        // older posts count no more
	HalfLife     time.Duration `json:"half_life"`     // after which a post counts half
	MaxPosts     int           `json:"max_posts"`     // posts kept for an account
	MaxAccounts  int           `json:"max_accounts"`  // accounts with a window; the longest quiet go first
	LeetFactor   float64       `json:"leet_factor"`   // what a term in digits for letters counts of its weight; 0: not looked for
	RepostFactor float64       `json:"repost_factor"` // what a repost counts of a post
	Watch        Watch         `json:"watch"`
}

// DefaultSettings are those of a rule file that says nothing.
func DefaultSettings() Settings {
	return Settings{
		Threshold: 6, CoolDown: 24 * time.Hour, Window: 24 * time.Hour, HalfLife: 12 * time.Hour,
		MaxPosts: 50, MaxAccounts: 200_000, LeetFactor: 0.6, RepostFactor: 0.5, Watch: WatchHits,
	}
}

// Term is one literal of a rule.
type Term struct {
	Text   string  `json:"text"`
	Weight float64 `json:"weight"`
	Whole  bool    `json:"whole"` // only as whole words
}

// Rule is a set of terms that say the same about a post.
type Rule struct {
	ID       string              `json:"id"`
	Policy   casefile.PolicyCode `json:"policy"` // VE-00: context for other rules, of no weight
	Language string              `json:"language,omitempty"`
	Group    string              `json:"group,omitempty"` // name under which other rules require or except it
	Where    []Field             `json:"where"`
	Requires []string            `json:"requires,omitempty"` // groups, one of which must be there too
	Within   Within              `json:"within,omitempty"`
	Unless   []string            `json:"unless,omitempty"` // groups whose presence in the same post takes the rule away
	Urgent   bool                `json:"urgent,omitempty"` // flags in spite of a cool-down
	MaxPost  float64             `json:"max_post"`         // the most one post gives
	MaxTotal float64             `json:"max_total"`        // the most the rule gives an account
	Terms    []Term              `json:"terms"`
}

// Rules are a checked and compiled rule set. They are immutable: safe for concurrent use.
type Rules struct {
	Version  string // hash of the canonical content, EngineVersion and fold.Version
	Settings Settings
	Rules    []Rule // by id

	matcher *matcher
}

// Limits of a rule set.
const (
	maxRules     = casefile.MaxFlagReasons
	maxTerms     = 20_000
	maxTermBytes = 200
	maxGroups    = 64 // a set of groups is a 64-bit mask
	maxWeight    = 1000
)

// compile sorts the rules, computes the version and builds the matcher.
func compile(settings Settings, rules []Rule) (*Rules, error) {
	slices.SortFunc(rules, func(a, b Rule) int { return strings.Compare(a.ID, b.ID) })
	for i := range rules {
		slices.SortStableFunc(rules[i].Terms, func(a, b Term) int { return strings.Compare(a.Text, b.Text) })
	}
	canonical, err := json.Marshal(struct {
		Engine   string   `json:"engine"`
		Fold     string   `json:"fold"`
		Settings Settings `json:"settings"`
		Rules    []Rule   `json:"rules"`
	}{EngineVersion, fold.Version, settings, rules})
	if err != nil {
		return nil, fmt.Errorf("encode the rules: %w", err)
	}
	sum := sha256.Sum256(canonical)
	return &Rules{
		Version:  hex.EncodeToString(sum[:8]),
		Settings: settings,
		Rules:    rules,
		matcher:  newMatcher(rules, settings.LeetFactor > 0),
	}, nil
}
