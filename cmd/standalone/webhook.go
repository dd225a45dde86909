package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/enforce/webhook"
)

// webhookPlatform reads one --webhook: the name of a platform and the file of its webhook, or a file alone
// for every platform that is not named.
func webhookPlatform(arg string) (config.Platform, error) {
	name, file, named := strings.Cut(arg, "=")
	if !named {
		name, file = config.AnyPlatform, arg
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return config.Platform{}, fmt.Errorf("read a webhook's configuration: %w", err)
	}
	c, err := webhook.ParseConfig(data)
	if err != nil {
		return config.Platform{}, fmt.Errorf("%s: %w", file, err)
	}
	return config.Platform{Name: name, Adapter: config.AdapterWebhook, File: file, Notify: c.Notify}, nil
}
