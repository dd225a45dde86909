package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/docket-triage/docket/review/client"
)

// global are the options of every command.
type global struct {
	data string
	as   string
	json bool
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
		url, token := os.Getenv("DOCKET_URL"), os.Getenv("DOCKET_TOKEN")
		if url == "" || token == "" {
			return nil, errors.New("say where Docket runs and who you are: --data DIR --as LOGIN, or DOCKET_URL and DOCKET_TOKEN in the environment")
		}
		return &client.Client{Base: url, Token: token}, nil
	}
	path := filepath.Join(g.data, "credentials.json")
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the credentials of the data folder: %w", err)
	}
	var c credentials
	err = json.Unmarshal(data, &c)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	var logins []string
	for _, p := range c.People {
		if p.Login == g.as {
			return &client.Client{Base: c.BaseURL, Token: p.Token}, nil
		}
		logins = append(logins, p.Login)
	}
	return nil, fmt.Errorf("--as must name one of %s", strings.Join(logins, ", "))
}

// print writes v as JSON with --json, and with show otherwise.
func (g *global) print(out io.Writer, v any, show func(io.Writer)) error {
	if !g.json {
		w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
		show(w)
		return w.Flush()
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
