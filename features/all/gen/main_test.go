package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestListIsCurrent fails when a unit's folder was added or removed without go generate.
func TestListIsCurrent(t *testing.T) {
	want, err := list("../..")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../" + output)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("features/all/%s is not current: run go generate ./features/all", output)
	}
	if n := strings.Count(string(got), ".Unit(),"); n < 7 {
		t.Errorf("the list has only %d units: the generator looks in the wrong place", n)
	}
}

func TestListFindsFolders(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"zeta", "alpha", "nounit", "all"} {
		if err := os.Mkdir(dir+"/"+name, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"zeta/unit.go", "alpha/unit.go", "nounit/module.go"} {
		if err := os.WriteFile(dir+"/"+name, []byte("package x\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := run(dir); err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile(dir + "/all/" + output)
	if err != nil {
		t.Fatal(err)
	}
	a, z := strings.Index(string(src), "alpha.Unit()"), strings.Index(string(src), "zeta.Unit()")
	if a < 0 || z < a || strings.Contains(string(src), "nounit") {
		t.Errorf("want alpha, then zeta, and not nounit:\n%s", src)
	}
}
