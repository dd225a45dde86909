// Command gen makes Docket's synthetic stream and, with -labelled, posts to train a scorer on.
//
//	go run ./testdata/gen -seed 1 -out testdata/stream
//	go run ./testdata/gen -seed 7 -labelled FILE
package main

//go:generate go run . -seed 1 -out ../stream

import (
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/docket-triage/docket/testdata/gen/synth"
)

func main() {
	seed := flag.Uint64("seed", 1, "seed: the same one gives the same bytes")
	out := flag.String("out", "", "folder for synthetic.ndjson.gz and truth.json")
	labelled := flag.String("labelled", "", "file for labelled posts (NDJSON; gzip when it ends in .gz)")
	flag.Parse()
	err := run(*seed, *out, *labelled)
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(seed uint64, out, labelled string) error {
	if out == "" && labelled == "" {
		return errors.New("name a folder by -out or a file by -labelled")
	}
	if labelled != "" {
		posts := synth.GenerateLabelled(seed)
		err := write(labelled, func(w io.Writer) error { return synth.WriteLabelled(w, posts) })
		if err != nil {
			return err
		}
		fmt.Printf("%s: %d labelled posts\n", labelled, len(posts))
	}
	if out == "" {
		return nil
	}
	c := synth.Generate(seed)
	err := write(filepath.Join(out, "synthetic.ndjson.gz"), c.WriteEvents)
	if err != nil {
		return err
	}
	err = write(filepath.Join(out, "truth.json"), c.WriteTruth)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d events, %d accounts\n", out, len(c.Events), len(c.Truth.Accounts))
	return nil
}

func write(path string, fill func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("create a file: %w", err)
	}
	if strings.HasSuffix(path, ".gz") {
		zw := gzip.NewWriter(f)
		err = errors.Join(fill(zw), zw.Close())
	} else {
		err = fill(f)
	}
	return errors.Join(err, f.Close())
}
