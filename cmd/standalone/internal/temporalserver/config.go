package temporalserver

import (
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
)

// clusterName names the one cluster; it is written into the files and must never change.
const clusterName = "active"

// plenty is a rate, a second, that one process never reaches: the limits protect a shared
// cluster, and here a refused call only turns into a retry.
const plenty = 100_000

// serverConfig describes one cluster of one shard in this process, without archival.
func serverConfig(st store, p ports) *config.Config {
	services := make(map[string]config.Service, len(p))
	for service, port := range p {
		services[string(service)] = config.Service{RPC: config.RPC{GRPCPort: port, BindOnIP: loopback}}
	}
	return &config.Config{
		Persistence: config.Persistence{
			DefaultStore:     "main",
			VisibilityStore:  "visibility",
			NumHistoryShards: 1,
			DataStores: map[string]config.DataStore{
				"main":       {SQL: st.main},
				"visibility": {SQL: st.visibility},
			},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{
				clusterName: {
					Enabled:                true,
					InitialFailoverVersion: 1,
					RPCAddress:             p.address(frontend),
				},
			},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Services:            services,
		PublicClient:        config.PublicClient{HostPort: p.address(frontend)},
		Archival: config.Archival{
			History:    config.HistoryArchival{State: config.ArchivalDisabled},
			Visibility: config.VisibilityArchival{State: config.ArchivalDisabled},
		},
		NamespaceDefaults: config.NamespaceDefaults{
			Archival: config.ArchivalNamespaceDefaults{
				History:    config.HistoryArchivalNamespaceDefaults{State: config.ArchivalDisabled},
				Visibility: config.VisibilityArchivalNamespaceDefaults{State: config.ArchivalDisabled},
			},
		},
	}
}

// dynamicConfig holds the settings that differ from the server's own defaults. The limits on
// updates, signals and history stay those of production, so that a workflow that outgrows them
// is noticed here first.
func dynamicConfig() dynamicconfig.StaticClient {
	return dynamicconfig.StaticClient{
		// One process polls; more partitions only add hops.
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,

		// A workflow task's answer brings the first activities back without a poll.
		dynamicconfig.EnableActivityEagerExecution.Key(): true,

		// Nexus wants an HTTP port; nothing here uses it.
		dynamicconfig.EnableNexus.Key(): false,

		// At the default of 20 polls a second each hop of an idle system waits up to 50 ms.
		dynamicconfig.TransferProcessorMaxPollRPS.Key():   1000,
		dynamicconfig.TimerProcessorMaxPollRPS.Key():      1000,
		dynamicconfig.VisibilityProcessorMaxPollRPS.Key(): 1000,
		dynamicconfig.OutboundProcessorMaxPollRPS.Key():   1000,

		dynamicconfig.FrontendRPS.Key():                        plenty,
		dynamicconfig.FrontendMaxNamespaceRPSPerInstance.Key(): plenty,
		dynamicconfig.FrontendPersistenceMaxQPS.Key():          plenty,
		dynamicconfig.MatchingRPS.Key():                        plenty,
		dynamicconfig.MatchingPersistenceMaxQPS.Key():          plenty,
		dynamicconfig.HistoryRPS.Key():                         plenty,
		dynamicconfig.HistoryPersistenceMaxQPS.Key():           plenty,
	}
}
