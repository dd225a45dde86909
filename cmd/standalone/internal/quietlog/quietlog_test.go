package quietlog_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/cmd/standalone/internal/quietlog"
)

func TestHandler(t *testing.T) {
	t.Parallel()
	type entry struct {
		second int
		level  slog.Level
		text   string
	}
	for name, tc := range map[string]struct {
		entries []entry
		want    []string
	}{
		"equal messages within the interval": {
			[]entry{{0, slog.LevelWarn, "slow"}, {1, slog.LevelWarn, "slow"}, {9, slog.LevelWarn, "slow"}},
			[]string{"level=WARN msg=slow"},
		},
		"the next interval says how many were left out": {
			[]entry{{0, slog.LevelWarn, "slow"}, {1, slog.LevelWarn, "slow"}, {9, slog.LevelWarn, "slow"},
				{10, slog.LevelWarn, "slow"}, {20, slog.LevelWarn, "slow"}},
			[]string{"level=WARN msg=slow", "level=WARN msg=slow suppressed=2", "level=WARN msg=slow"},
		},
		"other messages and levels count apart": {
			[]entry{{0, slog.LevelWarn, "slow"}, {0, slog.LevelError, "slow"}, {0, slog.LevelWarn, "lost"}},
			[]string{"level=WARN msg=slow", "level=ERROR msg=slow", "level=WARN msg=lost"},
		},
		"below the level": {
			[]entry{{0, slog.LevelInfo, "started"}},
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			h := quietlog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{
				Level:       slog.LevelWarn,
				ReplaceAttr: dropTime,
			}), 10*time.Second)
			start := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
			for _, e := range tc.entries {
				if h.Enabled(t.Context(), e.level) {
					r := slog.NewRecord(start.Add(time.Duration(e.second)*time.Second), e.level, e.text, 0)
					require.NoError(t, h.Handle(t.Context(), r))
				}
			}
			require.Equal(t, tc.want, lines(out.String()))
		})
	}
}

func TestDerivedLoggersCountTogether(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(quietlog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: dropTime}), time.Hour))
	log.Warn("slow")
	log.With("shard", 1).Warn("slow")
	log.WithGroup("matching").Warn("slow")
	log.With("shard", 1).Warn("lost", "n", 2)
	require.Equal(t, []string{"level=WARN msg=slow", "level=WARN msg=lost shard=1 n=2"}, lines(out.String()))
}

func TestEndlessDifferentMessages(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(quietlog.New(slog.NewTextHandler(&out, nil), time.Hour))
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range 1000 {
				log.Warn(fmt.Sprint("message ", worker, " ", i))
			}
		})
	}
	wg.Wait()
	require.Len(t, lines(out.String()), 4000)
}

func dropTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

func lines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}
