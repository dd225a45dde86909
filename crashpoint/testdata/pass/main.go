// Command pass passes steps 1 to 3 of a life three times and says so; its test ends it on the way.
package main

import (
	"fmt"
	"os"

	"github.com/docket-triage/docket/crashpoint"
)

func main() {
	for round := 1; round <= 3; round++ {
		for _, step := range []string{"1", "2", "3"} {
			fmt.Printf("%d/%s\n", round, step)
			crashpoint.Reach(step)
		}
		if len(os.Args) > 1 && round == 2 {
			err := os.WriteFile(os.Args[1], nil, 0o600)
			if err != nil {
				panic(err)
			}
		}
	}
}
