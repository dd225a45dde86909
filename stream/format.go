package stream

import (
	"encoding/json"

	"github.com/docket-triage/docket/casefile"
)

// Format names how the lines of a file are written.
type Format string

// The formats. FormatAuto finds it out for each file by its first line that fits one.
const (
	FormatAuto     Format = "auto"
	FormatEvent    Format = "event"    // docs/formats/event.md
	FormatTwitter1 Format = "twitter1" // Twitter/X API v1.1, one post a line
)

// ParseFormat reads the name of a format; "" is FormatAuto. The error is CodeInvalid.
func ParseFormat(s string) (Format, error) {
	switch f := Format(s); f {
	case "":
		return FormatAuto, nil
	case FormatAuto, FormatEvent, FormatTwitter1:
		return f, nil
	}
	return "", casefile.Invalid("format", "unknown format; one of auto, event, twitter1")
}

// decode makes an event of a line. Errors are CodeInvalid or CodeTooLarge and name the field.
func (f Format) decode(line []byte) (casefile.Event, error) {
	if f == FormatTwitter1 {
		return decodeTwitter1(line)
	}
	return casefile.ParseEvent(line)
}

// recognise tells the format of a line by its top-level fields, "" when it fits none.
func recognise(line []byte) Format {
	var top struct {
		Platform json.RawMessage `json:"platform"`
		Account  json.RawMessage `json:"account"`
		User     json.RawMessage `json:"user"`
		Created  json.RawMessage `json:"created_at"`
		Delete   json.RawMessage `json:"delete"`
	}
	err := json.Unmarshal(line, &top)
	switch {
	case err != nil:
		return ""
	case top.Platform != nil && top.Account != nil:
		return FormatEvent
	case top.User != nil && top.Created != nil, top.Delete != nil:
		return FormatTwitter1
	}
	return ""
}
