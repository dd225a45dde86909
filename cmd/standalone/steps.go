package main

import (
	"fmt"
	"io"
	"time"
)

// steps prints what happens as it happens, each line with the time since the start.
type steps struct {
	out   io.Writer
	start time.Time
}

func newSteps(out io.Writer) *steps { return &steps{out: out, start: time.Now()} }

func (s *steps) say(format string, args ...any) {
	_, _ = fmt.Fprintf(s.out, "%6.2fs  %s\n", time.Since(s.start).Seconds(), fmt.Sprintf(format, args...))
}

func (s *steps) line(format string, args ...any) {
	_, _ = fmt.Fprintf(s.out, format+"\n", args...)
}
