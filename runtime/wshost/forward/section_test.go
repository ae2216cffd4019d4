package forward

import "testing"

func TestCheckOrigins(t *testing.T) {
	for written, ok := range map[string]bool{"": true, "*": true, "https://a.example": true, "https://a.example:8443, http://b": true,
		"a.example": false, "https://a.example/": false, "https://a.example/x": false, "https://u@a.example": false, "https://a.example;x": true} {
		if err := checkOrigins(written); (err == nil) != ok {
			t.Errorf("%q: %v", written, err)
		}
	}
}
