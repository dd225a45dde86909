package worker

import (
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/docket-triage/docket/casefile"
)

// Namespace is Docket's namespace on the Temporal cluster.
const Namespace = "docket"

// stopTimeout is how long a stopping role waits for what it has begun: what is cut off is begun
// again only after its time-out.
const stopTimeout = 5 * time.Second

// newWorker makes a Temporal worker with Docket's interceptors. final are the codes whose errors are
// not retried; nil for none.
func newWorker(cl client.Client, queue string, final map[casefile.Code]bool, o worker.Options) worker.Worker {
	o.WorkerStopTimeout = stopTimeout
	o.Interceptors = append(o.Interceptors, &failureInterceptor{final: final})
	return worker.New(cl, queue, o)
}
