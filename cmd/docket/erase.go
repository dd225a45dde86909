package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/client"
)

// accountArgument says how commands name an account.
const accountArgument = `ACCOUNT is the number of one of the account's cases, or PLATFORM/ID; an id in an argument shows in the
process list and in the shell's history, a case number tells nobody anything.`

// namedAccount reads how an account is named.
func namedAccount(arg string) (review.AccountNamed, error) {
	platform, id, ok := strings.Cut(arg, "/")
	if ok {
		if platform == "" || id == "" {
			return review.AccountNamed{}, misuse("name the account as PLATFORM/ID, or by the number of one of its cases")
		}
		return review.AccountNamed{Platform: platform, Account: id}, nil
	}
	ref, err := casefile.ParseCaseRef(arg)
	if err != nil {
		return review.AccountNamed{}, misuse("%q is neither a case number nor PLATFORM/ID", arg)
	}
	return review.AccountNamed{Case: ref}, nil
}

// wordsFlags are the two ways to give words: in an argument, or in a file.
type wordsFlags struct{ text, file string }

func (f *wordsFlags) on(cmd *cobra.Command, name, what string) {
	cmd.Flags().StringVar(&f.text, name, "", what+" (shows in the process list; or name a file)")
	cmd.Flags().StringVar(&f.file, name+"-file", "-", "file with it, - for standard input")
}

func (f *wordsFlags) read(cmd *cobra.Command, what string) (string, error) {
	if f.text != "" {
		return f.text, nil
	}
	return readWords(cmd, f.file, what)
}

// about is what a command about an account is given: whose it is, and the words; and who calls.
type about struct {
	named  review.AccountNamed
	words  string
	client *client.Client
}

// about reads it. what names the words to whoever left them out.
func (f *wordsFlags) about(g *global, cmd *cobra.Command, account, what string) (a about, err error) {
	a.named, err = namedAccount(account)
	if err != nil {
		return a, err
	}
	a.words, err = f.read(cmd, what)
	if err != nil {
		return a, err
	}
	a.client, err = g.client()
	return a, err
}

func holdCommand(g *global) *cobra.Command {
	return group("hold", "Legal holds: orders to keep what is known of an account", holdAdd(g), holdEnd(g), holdList(g))
}

func holdAdd(g *global) *cobra.Command {
	var key verbKey
	var basis wordsFlags
	var when whenFlags
	cmd := &cobra.Command{
		Use: "add ACCOUNT", Short: "Put a legal hold on an account: nothing of it is erased while it stands", Args: takes(1, 1),
		Long: "Put a legal hold on an account: nothing of it is erased before the hold is ended or its time is over.\n\n" + accountArgument,
		RunE: func(cmd *cobra.Command, args []string) error {
			until, err := when.time("until", "for")
			if err != nil {
				return err
			}
			a, err := basis.about(g, cmd, args[0], "the order or law that asks for it")
			if err != nil {
				return err
			}
			h, err := a.client.AddHold(cmd.Context(), review.HoldCall{AccountNamed: a.named, Basis: a.words, Until: until, Key: key.key})
			if err != nil {
				return doubtful(err, key.key)
			}
			return g.print(cmd.OutOrStdout(), h, func(w io.Writer) { showHolds(w, []review.HoldView{h}) })
		},
	}
	basis.on(cmd, "basis", "the order or law that asks for it")
	when.register(cmd, "until", "for", "until when it stands")
	return key.on(cmd)
}

func holdEnd(g *global) *cobra.Command {
	var hold string
	var reason wordsFlags
	cmd := &cobra.Command{
		Use: "end ACCOUNT", Short: "End a legal hold", Args: takes(1, 1), Long: "End a legal hold before its time.\n\n" + accountArgument,
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := reason.about(g, cmd, args[0], "a reason")
			if err != nil {
				return err
			}
			h, err := a.client.EndHold(cmd.Context(), review.EndHoldCall{AccountNamed: a.named, Hold: hold, Reason: a.words})
			if err != nil {
				return err
			}
			return g.print(cmd.OutOrStdout(), h, func(w io.Writer) { showHolds(w, []review.HoldView{h}) })
		},
	}
	cmd.Flags().StringVar(&hold, "hold", "", "which one, where several stand on the account")
	reason.on(cmd, "reason", "why it ends")
	return cmd
}

func holdList(g *global) *cobra.Command {
	var ref string
	cmd := &cobra.Command{
		Use: "list", Short: "List the holds that stand, the one that ends first before the others", Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := g.client()
			if err != nil {
				return err
			}
			holds, err := c.Holds(cmd.Context(), casefile.CaseRef(ref))
			if err != nil {
				return err
			}
			return g.print(cmd.OutOrStdout(), holds, func(w io.Writer) { showHolds(w, holds) })
		},
	}
	cmd.Flags().StringVar(&ref, "case", "", "all holds of this case's account, ended ones too")
	return cmd
}

func showHolds(w io.Writer, holds []review.HoldView) {
	if len(holds) == 0 {
		_, _ = fmt.Fprintln(w, "no holds")
		return
	}
	_, _ = fmt.Fprintln(w, "HOLD\tPLATFORM\tCASE\tUNTIL\tSTANDS\tBY\tADDED\tENDED\tBASIS")
	for _, h := range holds {
		stands := "no"
		if h.Stands {
			stands = "yes"
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", plain(h.Hold), plain(h.Platform), orDash(string(h.Case)), when(&h.Until), stands,
			plain(string(h.By)), when(&h.At), when(h.EndedAt), orDash(h.Basis))
	}
}

func eraseCommand(g *global) *cobra.Command {
	var key verbKey
	var reason wordsFlags
	var wait bool
	cmd := &cobra.Command{
		Use: "erase ACCOUNT", Short: "Erase an account: its content key is destroyed, and all that is left of it goes", Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := reason.about(g, cmd, args[0], "a reason")
			if err != nil {
				return err
			}
			e, err := a.client.Erase(cmd.Context(), review.EraseCall{AccountNamed: a.named, Reason: a.words, Key: key.key})
			if err == nil && wait {
				e, err = awaitErasure(cmd.Context(), a.client, e)
			}
			if err != nil {
				return doubtful(err, key.key)
			}
			return g.print(cmd.OutOrStdout(), e, func(w io.Writer) { showErasure(w, e) })
		},
	}
	cmd.Long = `Erase an account: an open case is closed, the content key is destroyed, and everything that is left of the
account follows: its words in the index, its posts in the history, its sealed objects, its workflows. The
ledger and the counters stay. It is refused, with every reason, while something is outstanding.

Once it has answered, the erasure goes on by itself, whatever stops in between. An account stays shut for
some minutes after its key was destroyed. The reason is kept: name nobody in it.

` + accountArgument
	reason.on(cmd, "reason", "why the account is erased")
	cmd.Flags().BoolVar(&wait, "wait", false, "answer only when it has come to its end")
	return key.on(cmd)
}

// awaitErasure asks until an erasure has come to its end.
func awaitErasure(ctx context.Context, c *client.Client, e review.ErasureView) (review.ErasureView, error) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for e.State.UnderWay() {
		select {
		case <-ctx.Done():
			return e, ctx.Err()
		case <-tick.C:
		}
		var err error
		e, err = c.Erasure(ctx, e.Erasure)
		if err != nil {
			return e, err
		}
	}
	return e, nil
}

func showErasure(w io.Writer, e review.ErasureView) {
	_, _ = fmt.Fprintf(w, "erasure\t%s\nplatform\t%s\ncase\t%s\nstate\t%s\nasked\t%s by %s\n", plain(e.Erasure), plain(e.Platform), orDash(string(e.Case)), e.State, when(&e.At), orDash(string(e.By)))
	if e.Reason != "" {
		_, _ = fmt.Fprintf(w, "reason\t%s\n", plain(e.Reason))
	}
	if e.DestroyedAt != nil {
		_, _ = fmt.Fprintf(w, "key destroyed\t%s\nthe account had\t%d cases, %d flags, %d sealed objects\n", when(e.DestroyedAt), e.Cases, e.Flags, e.Objects)
	}
	if e.EndedAt != nil {
		_, _ = fmt.Fprintf(w, "ended\t%s\n", when(e.EndedAt))
	}
	for _, b := range e.Bars {
		_, _ = fmt.Fprintf(w, "stopped\t%s\n", plain(review.BarWords(b)))
	}
}

func erasureCommand(g *global) *cobra.Command {
	return group("erasure", "See erasures and how far they have come", erasureList(g), erasureShow(g))
}

func erasureList(g *global) *cobra.Command {
	var after int64
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List erasures in the order in which they were asked for", Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := g.client()
			if err != nil {
				return err
			}
			list, next, err := c.Erasures(cmd.Context(), after, limit)
			if err != nil {
				return err
			}
			return g.print(cmd.OutOrStdout(), list, func(w io.Writer) {
				if len(list) == 0 {
					_, _ = fmt.Fprintln(w, "no erasures")
					return
				}
				_, _ = fmt.Fprintln(w, "ERASURE\tPLATFORM\tCASE\tSTATE\tASKED\tBY\tDESTROYED\tENDED")
				for _, e := range list {
					_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", plain(e.Erasure), plain(e.Platform), orDash(string(e.Case)), e.State, when(&e.At),
						orDash(string(e.By)), when(e.DestroyedAt), when(e.EndedAt))
				}
				if next > 0 {
					_, _ = fmt.Fprintf(w, "more: --after %d\n", next)
				}
			})
		},
	}
	cmd.Flags().Int64Var(&after, "after", 0, "go on where an earlier page ended")
	cmd.Flags().IntVar(&limit, "limit", 0, "erasures on the page (default 50, at most 200)")
	return cmd
}

func erasureShow(g *global) *cobra.Command {
	return &cobra.Command{
		Use: "show ERASURE", Short: "Show one erasure", Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := g.client()
			if err != nil {
				return err
			}
			e, err := c.Erasure(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return g.print(cmd.OutOrStdout(), e, func(w io.Writer) { showErasure(w, e) })
		},
	}
}
