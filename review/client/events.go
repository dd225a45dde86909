package client

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/docket-triage/docket/review"
)

// Events gives changes of cases to emit until ctx ends, the server goes away, or emit fails. They
// are hints and may skip; one without a case means: look at everything. ready, if not nil, is
// called once the server watches.
func (c *Client) Events(ctx context.Context, ready func(), emit func(review.Change) error) error {
	res, err := c.send(ctx, request{method: http.MethodGet, path: []string{"events"}}, "", nil)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	scanner := bufio.NewScanner(res.Body)
	for scanner.Scan() {
		line := scanner.Text()
		if line == ": watching" && ready != nil {
			ready()
		}
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		var change review.Change
		err = json.Unmarshal([]byte(data), &change)
		if err != nil {
			return fmt.Errorf("decode event: %w", err)
		}
		err = emit(change)
		if err != nil {
			return err
		}
	}
	err = scanner.Err()
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("read events: %w", err)
	}
	return nil
}
