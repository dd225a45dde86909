// Command receiver runs the test platform of package receiver, for crash runs and for trying a
// configuration out. It listens on this machine, prints its address as one JSON line once it takes
// requests, and ends on an interrupt.
//
//	receiver --file acts.ndjson --secret-file webhook.secret --fault drop_after/5 --fault throttled/7
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/docket-triage/docket/enforce/webhook/receiver"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "receiver:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, args []string, out io.Writer) error {
	o := options{}
	err := o.parse(args)
	if err != nil {
		return err
	}
	r, err := o.receiver()
	if err != nil {
		return err
	}
	return errors.Join(serve(ctx, o.listen, r, out), r.Close())
}

type options struct {
	listen, file, secretFile string
	forgetful                bool
	wait, retryAfter         time.Duration
	faults                   []string
}

func (o *options) parse(args []string) error {
	flags := flag.NewFlagSet("receiver", flag.ContinueOnError)
	flags.StringVar(&o.listen, "listen", "127.0.0.1:0", "address on this machine; port 0 takes a free one")
	flags.StringVar(&o.file, "file", "", "file of what was really done (required)")
	flags.StringVar(&o.secretFile, "secret-file", "", "file with the secrets, one a line (required)")
	flags.BoolVar(&o.forgetful, "forgetful", false, "do not keep keys apart")
	flags.DurationVar(&o.wait, "wait", 10*time.Second, "how long the slow faults wait")
	flags.DurationVar(&o.retryAfter, "retry-after", time.Second, "what down and throttled ask for")
	flags.Func("fault", "KIND or KIND/N, for each Nth request; may be repeated", func(s string) error {
		o.faults = append(o.faults, s)
		return nil
	})
	err := flags.Parse(args)
	switch {
	case err != nil:
		return err
	case o.file == "" || o.secretFile == "":
		return errors.New("--file and --secret-file are required")
	case flags.NArg() > 0:
		return errors.New("there are no arguments besides the flags")
	}
	return nil
}

// receiver opens the platform with its faults.
func (o *options) receiver() (*receiver.Receiver, error) {
	data, err := os.ReadFile(o.secretFile)
	if err != nil {
		return nil, fmt.Errorf("read the secrets: %w", err)
	}
	var secrets []string
	for line := range bytes.Lines(data) {
		if secret := strings.TrimSpace(string(line)); secret != "" {
			secrets = append(secrets, secret)
		}
	}
	r, err := receiver.New(receiver.Options{File: o.file, Secrets: secrets, Forgetful: o.forgetful})
	if err != nil {
		return nil, err
	}
	for _, text := range o.faults {
		err = o.inject(r, text)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("--fault %s: %w", text, err), r.Close())
		}
	}
	return r, nil
}

func (o *options) inject(r *receiver.Receiver, text string) error {
	kind, number, counted := strings.Cut(text, "/")
	f := receiver.Fault{Kind: receiver.FaultKind(kind), Wait: o.wait, RetryAfter: o.retryAfter}
	if counted {
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 {
			return errors.New("the number must be 1 or more")
		}
		f.Every = n
	}
	return r.Inject(f)
}

// serve answers requests until ctx ends, and tells out where.
func serve(ctx context.Context, address string, h http.Handler, out io.Writer) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if !l.Addr().(*net.TCPAddr).IP.IsLoopback() {
		return errors.Join(errors.New("listens on this machine alone: it holds accounts and has no TLS"), l.Close())
	}
	line, err := json.Marshal(map[string]string{"url": "http://" + l.Addr().String() + "/"})
	if err != nil {
		return errors.Join(fmt.Errorf("encode the address: %w", err), l.Close())
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	_, err = fmt.Fprintln(out, string(line))
	if err != nil {
		return errors.Join(fmt.Errorf("tell the address: %w", err), server.Close())
	}
	select {
	case err = <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
		return server.Close()
	}
}
