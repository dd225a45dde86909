package main

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"os"
	"path/filepath"
)

// davidson reads the tweets that people marked as hate and as neither hateful nor offensive.
func davidson(dir string) (hate, neither []string, err error) {
	f, err := os.Open(filepath.Join(dir, "davidson", "labeled_data.csv"))
	if err != nil {
		return nil, nil, fmt.Errorf("open the davidson set: %w", err)
	}
	defer func() { _ = f.Close() }()
	r := csv.NewReader(bufio.NewReader(f))
	const class, tweet = 5, 6
	_, err = r.Read() // the header
	for err == nil {
		var row []string
		row, err = r.Read()
		if err != nil {
			break
		}
		text := html.UnescapeString(row[tweet])
		switch row[class] {
		case "0":
			hate = append(hate, text)
		case "2":
			neither = append(neither, text)
		}
	}
	if !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("read the davidson set: %w", err)
	}
	return hate, neither, nil
}

// twitter reads the distinct texts of the two folders of hashtags.
func twitter(dir string) (pro, con []string, err error) {
	pro, err = tweets(filepath.Join(dir, "twitter-v1.1", "train-pro.ndjson.gz"))
	if err != nil {
		return nil, nil, err
	}
	con, err = tweets(filepath.Join(dir, "twitter-v1.1", "train-con.ndjson.gz"))
	if err != nil {
		return nil, nil, err
	}
	return pro, con, nil
}

func tweets(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the Twitter set: %w", err)
	}
	defer func() { _ = f.Close() }()
	zr, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("read the Twitter set: %w", err)
	}
	var texts []string
	seen := make(map[string]bool)
	dec := json.NewDecoder(zr)
	for {
		var t struct {
			Text string `json:"text"`
		}
		err = dec.Decode(&t)
		if errors.Is(err, io.EOF) {
			return texts, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the Twitter set: %w", err)
		}
		if !seen[t.Text] {
			seen[t.Text] = true
			texts = append(texts, html.UnescapeString(t.Text))
		}
	}
}
