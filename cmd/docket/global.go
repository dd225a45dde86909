package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/docket-triage/docket/review/client"
)

// global are the options of every command.
type global struct {
	data string
	as   string
	json bool
	env  func(string) string
	// environ is the whole environment, for the configuration of a role.
	environ []string
}

// credentials is the part of a data folder's credentials.json that is needed here.
type credentials struct {
	BaseURL string `json:"base_url"`
	People  []struct {
		Login string `json:"login"`
		Token string `json:"token"`
	} `json:"people"`
}

// client connects as the options and the environment say.
func (g *global) client() (*client.Client, error) {
	if g.data == "" {
		return g.fromEnvironment()
	}
	path := filepath.Join(g.data, "credentials.json")
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the credentials that standalone writes: %w", err)
	}
	var c credentials
	err = json.Unmarshal(data, &c)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	var logins []string
	for _, p := range c.People {
		if p.Login == g.as && g.as != "" {
			return &client.Client{Base: c.BaseURL, Token: p.Token}, nil
		}
		logins = append(logins, p.Login)
	}
	return nil, misuse("say who you are with --as LOGIN: one of %s", strings.Join(logins, ", "))
}

func (g *global) fromEnvironment() (*client.Client, error) {
	url, token := strings.TrimSpace(g.env("DOCKET_URL")), strings.TrimSpace(g.env("DOCKET_TOKEN"))
	switch {
	case g.as != "":
		return nil, misuse("--as names somebody of a data folder: name the folder with --data DIR")
	case url == "" || token == "":
		return nil, misuse("say where Docket runs and who you are: --data DIR --as LOGIN, or DOCKET_URL and DOCKET_TOKEN in the environment")
	case strings.ContainsFunc(token, unicode.IsControl):
		return nil, misuse("DOCKET_TOKEN holds control characters: it is one line")
	case !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "https://"):
		return nil, misuse("DOCKET_URL must begin with http:// or https://")
	}
	return &client.Client{Base: url, Token: token}, nil
}
