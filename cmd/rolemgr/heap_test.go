package main

import "testing"

func TestHeapFloorObeysTheEnvironment(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	if n := len(raiseHeap()); n != heapFloor {
		t.Errorf("%d bytes", n)
	}
	for _, name := range []string{"GOGC", "GOMEMLIMIT"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, "100")
			if n := len(raiseHeap()); n != 0 {
				t.Errorf("%d bytes", n)
			}
		})
	}
}
