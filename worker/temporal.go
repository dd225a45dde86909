package worker

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/worker/codec"
)

// Namespace is Docket's namespace on the Temporal cluster.
const Namespace = "docket"

// Dial connects to a Temporal frontend with the encrypting codec on everything that is sent.
func Dial(ctx context.Context, hostPort string, keys codec.Keys, logger *slog.Logger) (client.Client, error) {
	c, err := codec.New(keys, codec.Options{})
	if err != nil {
		return nil, fmt.Errorf("make the payload codec: %w", err)
	}
	dc := codec.NewDataConverter(c)
	cl, err := client.DialContext(ctx, client.Options{
		HostPort: hostPort, Namespace: Namespace, Logger: log.NewStructuredLogger(logger),
		DataConverter: dc, FailureConverter: codec.NewFailureConverter(dc),
	})
	if err != nil {
		return nil, fmt.Errorf("connect to Temporal at %s: %w", hostPort, err)
	}
	return cl, nil
}

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
