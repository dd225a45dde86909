package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// credentials is DIR/credentials.json: how command-line tools and demo people reach this process.
// API tokens stand in clear here and nowhere else.
type credentials struct {
	BaseURL string             `json:"base_url"`
	People  []personCredential `json:"people"`
}

type personCredential struct {
	Login     string          `json:"login"`
	Name      string          `json:"name"`
	Person    casefile.Person `json:"person"`
	Roles     []casefile.Role `json:"roles"`
	Token     string          `json:"token"`
	LoginLink string          `json:"login_link,omitempty"`
}

// token gives somebody's API token by login; "" for nobody.
func (c credentials) token(login string) string {
	for _, p := range c.People {
		if p.Login == login {
			return p.Token
		}
	}
	return ""
}

// issueCredentials gives each demo person an API token, the one of the last start where it still
// holds, and a fresh login link, and writes the file.
func issueCredentials(ctx context.Context, a *access.Access, people []records.PersonRow, path, baseURL string) (credentials, error) {
	before, err := readCredentials(path)
	if err != nil {
		return credentials{}, err
	}
	c := credentials{BaseURL: baseURL}
	for _, p := range people {
		one := personCredential{Login: p.Login, Name: p.Name, Person: p.Person, Roles: p.Roles, Token: before.token(p.Login)}
		who, err := a.Authenticate(ctx, one.Token)
		if err != nil || who.Person != p.Person {
			one.Token, err = a.NewAPIToken(ctx, p.Person)
			if err != nil {
				return credentials{}, fmt.Errorf("give %s an API token: %w", p.Login, err)
			}
		}
		if len(p.Roles) != 1 || p.Roles[0] != casefile.RoleService {
			code, err := a.NewLoginLink(ctx, p.Login)
			if err != nil {
				return credentials{}, fmt.Errorf("make a login link for %s: %w", p.Login, err)
			}
			one.LoginLink = baseURL + "/login?code=" + code
		}
		c.People = append(c.People, one)
	}
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return credentials{}, fmt.Errorf("encode the credentials: %w", err)
	}
	return c, writeFile(path, append(data, '\n'))
}

func readCredentials(path string) (credentials, error) {
	var c credentials
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("read the credentials of the last start: %w", err)
	}
	err = json.Unmarshal(data, &c)
	if err != nil {
		return c, fmt.Errorf("%s is damaged; delete it to have new tokens made: %w", path, err)
	}
	return c, nil
}
