package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSoak runs the line for some seconds with one restart: cases that were under way at the stop end
// after it, nothing is outstanding, and everything was measured.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short: runs the whole line for some seconds and restarts it")
	}
	var out bytes.Buffer
	cmd := benchCommand()
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"soak", "--for", "4s", "--restart-every", "2s", "--every", "500ms", "--rate", "4", "--fast", "--scratch", t.TempDir(), "--json"})
	err := cmd.ExecuteContext(t.Context())
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var r soakReport
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &r), "%v: %s", err, out.String())
	require.Equal(t, 1, r.Restarts)
	require.Positive(t, r.Lifecycles)
	require.Positive(t, r.Carried, "a stop cuts off what is under way")
	require.Zero(t, r.Backlog.total())
	stops := 0
	for _, x := range r.Samples {
		require.Positive(t, x.Heap)
		require.Positive(t, x.RSS)
		require.Positive(t, x.Files)
		require.Positive(t, x.Temporal*x.Records*x.Index*x.Ledger)
		if x.Stopped {
			stops++
			require.Less(t, x.Goroutines, r.Samples[0].Goroutines/2, "a stop stops")
		}
	}
	require.Equal(t, 2, stops)
}

// soakOf makes a report of samples that grow by so much a lifecycle and a restart.
func soakOf(grow func(x *soakSample, lifecycles, restarts float64)) soakReport {
	var r soakReport
	n := 0
	for stretch := range 6 {
		for range 20 {
			n += 20
			x := soakSample{Stretch: stretch, Lifecycles: n, Goroutines: 3000, Files: 60, Heap: 60 * mib}
			// Noise of both signs, which is no growth.
			x.Goroutines += float64(n*7919%41) - 20
			x.Heap += float64(n*104729%(4*mib)) - 2*mib
			grow(&x, float64(n%400), float64(stretch))
			r.Samples = append(r.Samples, x)
		}
		x := soakSample{Stretch: stretch, Stopped: true, Lifecycles: n, Goroutines: 30, Files: 15, Heap: 30 * mib}
		grow(&x, 0, float64(stretch))
		r.Samples = append(r.Samples, x)
	}
	r.judge()
	return r
}

// TestSoakVerdict: what grows with lifecycles or with restarts is found, in the midst of noise; what a
// restart clears is no growth over restarts, and stores may grow.
func TestSoakVerdict(t *testing.T) {
	t.Parallel()
	r := soakOf(func(*soakSample, float64, float64) {})
	require.NoError(t, r.verdict())
	for name, c := range map[string]struct {
		grow func(x *soakSample, lifecycles, restarts float64)
		says string
	}{
		"a goroutine a lifecycle": {func(x *soakSample, l, _ float64) { x.Goroutines += 2 * l }, "goroutines: 1."},
		"a file a lifecycle":      {func(x *soakSample, l, _ float64) { x.Files += l / 2 }, "open files"},
		"memory a lifecycle":      {func(x *soakSample, l, _ float64) { x.Heap += 200 * 1024 * l }, "heap"},
		"goroutines a restart":    {func(x *soakSample, _, r float64) { x.Goroutines += 3 * r }, "a restart"},
		"a file a restart":        {func(x *soakSample, _, r float64) { x.Files += r }, "a restart"},
		"memory a restart":        {func(x *soakSample, _, r float64) { x.Heap += 2 * mib * r }, "a restart"},
	} {
		r := soakOf(c.grow)
		require.ErrorIs(t, r.verdict(), errSoak, name)
		require.ErrorContains(t, r.verdict(), c.says, name)
	}
	r = soakOf(func(x *soakSample, l, r float64) {
		x.Ledger, x.Temporal, x.RSS = 1e6*(l+400*r), 1e6*(l+400*r), 1e6*(l+400*r)
	})
	require.NoError(t, r.verdict())
	r.Backlog.OpenCases = 1
	r.judge()
	require.ErrorContains(t, r.verdict(), "outstanding")
	r = soakOf(func(x *soakSample, _, r float64) { x.Goroutines += 100 * r })
	r.Engine.Goroutines = 100
	r.judge()
	require.NoError(t, r.verdict(), "what the engine alone leaves is taken off")
}

func TestResidentBytes(t *testing.T) {
	t.Parallel()
	n, err := residentBytes("Name:\tx\nVmHWM:\t  30 kB\nVmRSS:\t  20 kB\n")
	require.NoError(t, err)
	require.EqualValues(t, 20*1024, n)
	_, err = residentBytes("Name:\tx\n")
	require.Error(t, err)
	_, err = residentBytes("VmRSS:\tmuch kB\n")
	require.Error(t, err)
}
