package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/rolemgr/rolemgr/features"
)

// answersVersion is the version of the format of exported files.
const answersVersion = 1

// answers is an exported file: what a person asked for, without what follows from it. docs/state-file.md describes it.
type answers struct {
	Version         int      `toml:"version"`
	Level           string   `toml:"level,omitempty"`
	ManagementTools bool     `toml:"management_tools,omitempty"`
	Features        []string `toml:"features"`
	Without         []string `toml:"without,omitempty"` // kept out, and removed where they are installed
}

// encode writes the file with the display name behind each feature. title gives it.
func (a answers) encode(title func(features.ID) string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Replay with: rolemgr install --file FILE\nversion = %d\n", a.Version)
	if a.Level != "" {
		fmt.Fprintf(&b, "level = %s\n", quoted(a.Level))
	}
	if a.ManagementTools {
		b.WriteString("management_tools = true\n")
	}
	if len(a.Features) > 0 || len(a.Without) == 0 { // a file that only removes says nothing of features
		writeNames(&b, "features", a.Features, title)
	}
	if len(a.Without) > 0 {
		writeNames(&b, "without", a.Without, title)
	}
	return b.Bytes()
}

func writeNames(b *bytes.Buffer, key string, names []string, title func(features.ID) string) {
	width := 0
	for _, name := range names {
		width = max(width, len(quoted(name)))
	}
	fmt.Fprintf(b, "%s = [\n", key)
	for _, name := range names {
		text := quoted(name)
		fmt.Fprintf(b, "  %s,%s # %s\n", text, strings.Repeat(" ", width-len(text)), title(features.ID(name)))
	}
	b.WriteString("]\n")
}

// quoted writes a basic string of TOML: that of JSON, but for the one control character that JSON lets stand.
func quoted(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string and a Builder do not fail
	return strings.ReplaceAll(strings.TrimSuffix(b.String(), "\n"), "\x7f", `\u007f`)
}

// decodeAnswers reads an exported file strictly: an unknown key is a mistake that would go unnoticed otherwise.
func decodeAnswers(name string, b []byte) (answers, error) {
	var a answers
	d := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		return answers{}, answersError(name, err)
	}
	const hint = "\"rolemgr export\" writes such a file"
	switch {
	case a.Version > answersVersion:
		return answers{}, &usageError{
			fmt.Sprintf("%s: version %d is newer than this program, which reads %d", name, a.Version, answersVersion),
			"use the version of rolemgr that wrote it, or a newer one",
		}
	case a.Version != answersVersion:
		return answers{}, &usageError{fmt.Sprintf("%s: version = %d is missing", name, answersVersion), hint}
	case len(a.Features) == 0 && len(a.Without) == 0 && a.Level == "":
		return answers{}, &usageError{fmt.Sprintf("%s: it lists no feature", name), hint}
	}
	return a, nil
}

// answersError names the place of a fault.
func answersError(name string, err error) error {
	const hint = "the keys are version, level, management_tools, features and without"
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) && len(strict.Errors) > 0 {
		e := strict.Errors[0]
		line, column := e.Position()
		return &usageError{fmt.Sprintf("%s:%d:%d: unknown key %q", name, line, column, strings.Join(e.Key(), ".")), hint}
	}
	var decode *toml.DecodeError
	if errors.As(err, &decode) {
		line, column := decode.Position()
		return &usageError{fmt.Sprintf("%s:%d:%d: %s", name, line, column, strings.TrimPrefix(decode.Error(), "toml: ")), hint}
	}
	return &usageError{fmt.Sprintf("%s: %v", name, err), hint}
}
