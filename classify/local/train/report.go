package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/classify/local"
	"github.com/docket-triage/docket/classify/local/measure"
	"github.com/docket-triage/docket/testdata/gen/synth"
)

// streamSeed is the seed of the stream that is replayed by default; a third of its sentences are
// left out of what the model learns from.
const streamSeed = 1

// report prints the figures of the model card.
func report(w io.Writer, m *local.Model, held []local.Example, data string) error {
	printTexts(w, "held-out synthetic posts (the same sentences, filled otherwise)", m,
		texts(held, func(e local.Example) bool { return e.Label != "" }), texts(held, func(e local.Example) bool { return e.Label == "" }))
	for _, code := range m.Policies() {
		of := texts(held, func(e local.Example) bool { return e.Label == code })
		rest := texts(held, func(e local.Example) bool { return e.Label != code })
		fmt.Fprintf(w, "  %s: AUROC %.3f (%d posts)\n", code,
			measure.AUROC(scores(m, of, policy(code)), scores(m, rest, policy(code))), len(of))
	}
	err := printAccounts(w, m)
	if err != nil {
		return err
	}
	if data == "" {
		return nil
	}
	hate, neither, err := davidson(data)
	if err != nil {
		return err
	}
	printTexts(w, "davidson, hate against neither (out of domain)", m, hate, neither)
	pro, con, err := twitter(data)
	if err != nil {
		return err
	}
	printTexts(w, "twitter-v1.1, pro against con (out of domain, weak labels, distinct texts)", m, pro, con)
	return nil
}

func texts(examples []local.Example, want func(local.Example) bool) []string {
	var out []string
	for _, e := range examples {
		if want(e) {
			out = append(out, e.Text)
		}
	}
	return out
}

func anyViolation(j local.Judgement) float64 { return j.Any }

func policy(code casefile.PolicyCode) func(local.Judgement) float64 {
	return func(j local.Judgement) float64 { return j.Policies[code] }
}

// scores judges texts; one without words counts as 0.
func scores(m *local.Model, texts []string, of func(local.Judgement) float64) []float64 {
	out := make([]float64, len(texts))
	for i, t := range texts {
		out[i] = of(m.Judge(t))
	}
	return out
}

func printTexts(w io.Writer, name string, m *local.Model, positive, negative []string) {
	p, n := scores(m, positive, anyViolation), scores(m, negative, anyViolation)
	fmt.Fprintf(w, "%s: AUROC %.3f (%d and %d); of them at 0.5 or above: %.1f %% and %.1f %%\n",
		name, measure.AUROC(p, n), len(p), len(n), 100*share(p), 100*share(n))
}

func share(scores []float64) float64 {
	n := 0.0
	for _, s := range scores {
		if s >= 0.5 {
			n++
		}
	}
	return n / max(float64(len(scores)), 1)
}

// printAccounts scores the accounts of the synthetic stream against its truth.
func printAccounts(w io.Writer, m *local.Model) error {
	c := synth.Generate(streamSeed)
	posts := make(map[string][]casefile.Event)
	for _, e := range c.Events {
		posts[e.Account.ID] = append(posts[e.Account.ID], e)
	}
	var flagged, benign []float64
	byClass := make(map[string][]float64)
	for _, a := range c.Truth.Accounts {
		s, err := m.ScoreAccount(context.Background(), "synthetic", casefile.Account{ID: a.ID}, posts[a.ID])
		if casefile.ErrorCode(err) == casefile.CodeInvalid {
			continue // it never posted
		}
		if err != nil {
			return fmt.Errorf("score an account: %w", err)
		}
		byClass[a.Class] = append(byClass[a.Class], s.Score)
		if a.Flag {
			flagged = append(flagged, s.Score)
		} else {
			benign = append(benign, s.Score)
		}
	}
	fmt.Fprintf(w, "accounts of the synthetic stream (a third of the sentences unseen): AUROC %.3f (%d and %d); of them at 0.5 or above: %.1f %% and %.1f %%\n",
		measure.AUROC(flagged, benign), len(flagged), len(benign), 100*share(flagged), 100*share(benign))
	for _, class := range slices.Sorted(maps.Keys(byClass)) {
		sum := 0.0
		for _, s := range byClass[class] {
			sum += s
		}
		n := len(byClass[class])
		fmt.Fprintf(w, "  %s: mean score %.2f (%d accounts)\n", class, sum/float64(n), n)
	}
	return nil
}
