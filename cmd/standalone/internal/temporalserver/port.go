package temporalserver

import (
	"fmt"
	"net"
	"strconv"

	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/primitives"
)

// loopback is the only address that the server listens on.
const loopback = "127.0.0.1"

// The services, by the names that the server's configuration gives them.
const (
	frontend = primitives.FrontendService
	history  = primitives.HistoryService
	matching = primitives.MatchingService
	worker   = primitives.WorkerService
)

// ports is the port of each service.
type ports map[primitives.ServiceName]int

// choosePorts finds a free port for each service; frontendPort, unless 0, is taken as it is.
func choosePorts(frontendPort int) (ports, error) {
	p := ports{}
	for _, service := range []primitives.ServiceName{frontend, history, matching, worker} {
		if service == frontend && frontendPort != 0 {
			p[service] = frontendPort
			continue
		}
		port, err := freePort()
		if err != nil {
			return nil, fmt.Errorf("choose a port for the %s service: %w", service, err)
		}
		p[service] = port
	}
	return p, nil
}

// freePort finds a port that nobody listens on and that the system will not hand out by itself
// for about a minute: the side that closes a connection first keeps its port in TIME_WAIT, which
// forbids choosing it at random but not asking for it by number.
func freePort() (port int, err error) {
	l, err := net.Listen("tcp", loopback+":0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	dialled, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return 0, err
	}
	defer func() { _ = dialled.Close() }()
	accepted, err := l.Accept()
	if err != nil {
		return 0, err
	}
	err = accepted.Close()
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, nil
}

// address is where the service listens.
func (p ports) address(service primitives.ServiceName) string {
	return net.JoinHostPort(loopback, strconv.Itoa(p[service]))
}

// hosts says where each service is to be found, in place of a membership protocol.
func (p ports) hosts() map[primitives.ServiceName]static.Hosts {
	hosts := make(map[primitives.ServiceName]static.Hosts, len(p))
	for service := range p {
		hosts[service] = static.SingleLocalHost(p.address(service))
	}
	return hosts
}
