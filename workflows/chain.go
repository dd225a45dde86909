package workflows

import (
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/casefile"
)

// numberer appends the entries of one ledger chain: it gives each its number, has its bytes fixed
// once (a recorded result, so that every retry sends the same bytes), and keeps one append in
// flight at a time. No number stands in the log before the lower ones.
type numberer struct {
	chain    *Chain
	platform string
	account  casefile.AccountKey

	// renumbers says that nothing names the chain's entries by their numbers, so that they move behind
	// those that another run put into the log: of a lost one, or of this one before it was reset.
	renumbers bool

	fencing bool             // the chain is a case's, behind a lost run
	decided *casefile.Bundle // the proof of that run's decision
	decides string           // its id

	want   casefile.EventID // an entry whose proof is waited for
	bundle *casefile.Bundle // the proof of want
	busy   bool
	flush  bool
	drains int // who waits until nothing is left: whatever is drafted meanwhile is appended as well
	err    error
}

// draft gives an entry its number and time. It is appended at the next flush.
func (n *numberer) draft(ctx workflow.Context, d casefile.Draft) casefile.EventID {
	seq := n.chain.Seq + len(n.chain.Drafts) + 1
	event := casefile.NewEventID(n.chain.Name, seq)
	n.chain.Drafts = append(n.chain.Drafts, PendingDraft{Event: event, At: workflow.Now(ctx), Draft: d})
	return event
}

// follow goes on behind what the log holds of the chain, where an earlier run was lost: it must be
// called before anything is drafted.
func (n *numberer) follow(ctx workflow.Context) error {
	var head ChainHeadAnswer
	ask := ChainHeadAsk{Chain: n.chain.Name, Decision: n.fencing}
	err := workflow.ExecuteActivity(ledgerOptions(ctx), ActivityChainHead, ask).Get(ctx, &head)
	if err != nil {
		return err
	}
	n.chain.Seq, n.chain.Hash = head.Seq, head.Hash
	n.decided, n.decides = head.Decision, head.Decides
	return nil
}

// fence appends one entry behind what the log holds of a lost run's chain. An entry of that run that was
// still on its way and came in first is followed as well; one that comes later is refused by the log.
// Nothing else may be drafted before it returns. Behind it, decided is the proof of the decision that
// the lost run put on the ledger.
func (n *numberer) fence(ctx workflow.Context, d casefile.Draft) error {
	n.fencing, n.renumbers = true, true
	defer func() { n.fencing, n.renumbers = false, false }()
	err := n.follow(ctx)
	if err != nil {
		return err
	}
	n.draft(ctx, d)
	return n.drain(ctx)
}

// idle reports whether everything drafted is in the log.
func (n *numberer) idle() bool {
	return !n.busy && len(n.chain.Drafts) == 0 && len(n.chain.Fixed) == 0
}

// run appends whatever is drafted whenever flush is set, until the context ends.
func (n *numberer) run(ctx workflow.Context) {
	for {
		err := workflow.Await(ctx, func() bool {
			return len(n.chain.Fixed) > 0 || (n.flush || n.drains > 0) && len(n.chain.Drafts) > 0
		})
		if err != nil {
			return
		}
		n.busy = true
		err = n.appendOnce(ctx)
		n.busy = false
		if err != nil {
			n.err = err
			return
		}
	}
}

// drain waits until everything drafted is in the log.
func (n *numberer) drain(ctx workflow.Context) error {
	n.drains++
	defer func() { n.drains-- }()
	err := workflow.Await(ctx, func() bool { return n.err != nil || n.idle() })
	if err != nil {
		return err
	}
	return n.err
}

func (n *numberer) appendOnce(ctx workflow.Context) error {
	var drafts []PendingDraft
	if len(n.chain.Fixed) == 0 {
		n.flush = false
		drafts = n.chain.Drafts[:min(len(n.chain.Drafts), maxFix)]
		ask := FixEntriesAsk{Platform: n.platform, Account: n.account, Prev: n.chain.Hash, Drafts: drafts}
		if n.chain.Seq == 0 {
			ask.Cause = n.chain.Cause
		}
		var fixed []casefile.FixedEntry
		err := workflow.ExecuteLocalActivity(localOptions(ctx), ActivityFixEntries, ask).Get(ctx, &fixed)
		if err != nil {
			return err
		}
		// Drafts may have been added meanwhile: they keep their numbers behind these.
		n.chain.Drafts = n.chain.Drafts[len(drafts):]
		n.chain.Seq += len(fixed)
		n.chain.Hash = fixed[len(fixed)-1].Hash()
		n.chain.Fixed = fixed
		if len(n.chain.Drafts) > 0 {
			n.flush = true
		}
	}
	ask := AppendAsk{Entries: n.chain.Fixed, Fence: n.renumbers}
	for _, f := range n.chain.Fixed {
		if f.Event == n.want {
			ask.Prove = n.want
		}
	}
	var answer AppendAnswer
	err := workflow.ExecuteActivity(ledgerOptions(ctx), ActivityAppend, ask).Get(ctx, &answer)
	if err != nil {
		return err
	}
	n.chain.Fixed = nil
	if answer.Taken {
		return n.renumber(ctx, drafts)
	}
	if answer.Bundle != nil {
		n.bundle = answer.Bundle
	}
	return nil
}

// renumber puts drafts, and those behind them, behind what the log holds by now.
func (n *numberer) renumber(ctx workflow.Context, drafts []PendingDraft) error {
	err := n.follow(ctx)
	if err != nil {
		return err
	}
	n.chain.Drafts = append(slices.Clone(drafts), n.chain.Drafts...)
	want := n.want
	for i := range n.chain.Drafts {
		event := casefile.NewEventID(n.chain.Name, n.chain.Seq+i+1)
		if want != "" && want == n.chain.Drafts[i].Event {
			n.want = event
		}
		n.chain.Drafts[i].Event = event
	}
	n.flush = true
	return nil
}

// maxFix bounds the entries of one append.
const maxFix = 50

// attemptTimeout bounds one attempt of an activity on another role's queue. It is also how long an
// attempt that was cut off with its process is waited for before the next begins.
const attemptTimeout = 15 * time.Second

// localOptions are those of quick reads and writes of our own stores. They are retried until they
// succeed: a case waits for its records rather than going on without them.
func localOptions(ctx workflow.Context) workflow.Context {
	return workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: 8 * time.Second,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: 100 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: 10 * time.Second},
	})
}

// caseOptions are those of a projection: a regular activity of the work role, so that nothing is
// shown to anybody before the workflow task that it follows from is committed.
func caseOptions(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           TaskQueueCases,
		StartToCloseTimeout: attemptTimeout,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: 100 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: 10 * time.Second},
	})
}

// ledgerOptions retry for ever: an entry that is not in the log holds its chain up, never the queue.
func ledgerOptions(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           TaskQueueLedger,
		StartToCloseTimeout: attemptTimeout,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: 200 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second},
	})
}

// actOptions retry for ever what a platform may do later; refusals of the actor are not retryable.
func actOptions(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           TaskQueueActions,
		StartToCloseTimeout: attemptTimeout,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 5 * time.Minute},
	})
}
