package verify

import (
	"testing"
)

func BenchmarkParseEntry(b *testing.B) {
	c := chain{name: "case.00001-TEST1"}
	entries, _ := decided(b, &c)
	plain := plainEntries(b, 1)[0]
	for name, data := range map[string][]byte{"decision": entries[2], "opinion": entries[0], "plain": plain} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				_, err := parseEntry(data)
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
