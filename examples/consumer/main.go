// Command consumer is a small takedown system beside Docket: a Temporal workflow that follows the feed of
// decisions, checks every proof itself and acts on nothing that is not proven. Its README says how to run it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	temporal "go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"golang.org/x/mod/sumdb/note"

	"github.com/docket-triage/docket/review/client"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "consumer:", err)
		os.Exit(1)
	}
}

// settings are what the command line says.
type settings struct {
	docket, tokenFile, keyFile string
	temporal, namespace, queue string
	out                        string
	parts                      int
}

func parse(args []string) (settings, error) {
	var s settings
	f := flag.NewFlagSet("consumer", flag.ContinueOnError)
	f.StringVar(&s.docket, "docket", "http://127.0.0.1:8080", "address of Docket's API")
	f.StringVar(&s.tokenFile, "token-file", "", "file with the API token of a service of team takedown (required)")
	f.StringVar(&s.keyFile, "key", "", "file with the log's public key (required); it must not come from the API")
	f.StringVar(&s.temporal, "temporal", "127.0.0.1:7233", "address of the Temporal server")
	f.StringVar(&s.namespace, "namespace", "default", "Temporal namespace")
	f.StringVar(&s.queue, "task-queue", "docket-consumer", "Temporal task queue")
	f.StringVar(&s.out, "out", "acts.ndjson", "file that acts are written to")
	f.IntVar(&s.parts, "parts", 100, "parts of the feed that a run of the workflow looks at before it continues as new")
	err := f.Parse(args)
	switch {
	case err != nil:
		return s, err
	case f.NArg() > 0:
		return s, fmt.Errorf("takes no argument %q", f.Arg(0))
	case s.tokenFile == "" || s.keyFile == "":
		return s, errors.New("--token-file and --key are required")
	case s.parts < 1:
		return s, errors.New("--parts must be at least 1")
	}
	return s, nil
}

// readLine reads a file that holds one line.
func readLine(path, what string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", what, err)
	}
	return strings.TrimSpace(string(data)), nil
}

// stopTimeout is how long a stopping worker waits for what it is at.
const stopTimeout = 10 * time.Second

// feedWait is how long the feed waits for a decision before it answers that there is none.
const feedWait = 20 * time.Second

func run(ctx context.Context, args []string) error {
	s, err := parse(args)
	if err != nil {
		return err
	}
	token, err := readLine(s.tokenFile, "the token")
	if err != nil {
		return err
	}
	key, err := readLine(s.keyFile, "the log's public key")
	if err != nil {
		return err
	}
	_, err = note.NewVerifier(key)
	if err != nil {
		return fmt.Errorf("the log's public key in %s: %w", s.keyFile, err)
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	c, err := temporal.DialContext(ctx, temporal.Options{HostPort: s.temporal, Namespace: s.namespace, Logger: sdklog.NewStructuredLogger(log)})
	if err != nil {
		return fmt.Errorf("reach the Temporal server at %s: %w", s.temporal, err)
	}
	defer c.Close()
	w := worker.New(c, s.queue, worker.Options{WorkerStopTimeout: stopTimeout})
	w.RegisterWorkflowWithOptions(Consume, workflow.RegisterOptions{Name: workflowName})
	w.RegisterActivity(&Activities{Feed: &client.Client{Base: s.docket, Token: token}, Key: key, Out: s.out, Wait: feedWait, Log: log})
	err = w.Start()
	if err != nil {
		return fmt.Errorf("start the worker: %w", err)
	}
	defer w.Stop()
	// One for the deployment: where it runs already, it goes on with the cursor that it has.
	started, err := c.ExecuteWorkflow(ctx, temporal.StartWorkflowOptions{ID: workflowName, TaskQueue: s.queue}, workflowName,
		State{After: client.FeedFrom, Parts: s.parts})
	if err != nil {
		return fmt.Errorf("start the workflow: %w", err)
	}
	log.Info("follows the decisions", "docket", s.docket, "workflow", started.GetID(), "acts", s.out)
	<-ctx.Done()
	return nil
}
