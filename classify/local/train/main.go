// Command train makes the local model that ships with Docket, from the labelled posts of the
// synthetic generator, and prints how well it tells them and other data apart.
//
//	go run ./classify/local/train -seed 7
//	go run ./classify/local/train -seed 7 -out "" -data DIR
//
// With -data DIR it also measures on the davidson and twitter-v1.1 sets in that folder, which the
// model has never seen. docs/model-card.md holds the figures.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/docket-triage/docket/classify/local"
)

func main() {
	seed := flag.Uint64("seed", 7, "seed of the generator and of the training")
	out := flag.String("out", "classify/local/model.bin", "file for the model; empty writes none")
	data := flag.String("data", "", "folder with davidson/ and twitter-v1.1/ to measure on as well")
	flag.Parse()
	err := run(os.Stdout, *seed, *out, *data)
	if err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, seed uint64, out, data string) error {
	examples := synthetic(seed)
	learn, held := local.Split(examples, seed, 0.2)
	model, err := local.Train(learn, local.Options{Seed: seed})
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	file, err := model.Encode()
	if err != nil {
		return fmt.Errorf("encode the model: %w", err)
	}
	fmt.Fprintf(w, "model %s: %d bytes, %d examples, policies %v\n", model.Model().Version, len(file), len(learn), model.Policies())
	err = report(w, model, held, data)
	if err != nil {
		return err
	}
	if out == "" {
		return nil
	}
	err = os.WriteFile(out, file, 0o644)
	if err != nil {
		return fmt.Errorf("write the model: %w", err)
	}
	return nil
}
