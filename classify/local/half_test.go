package local

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHalfKeepsEveryFiniteNumber(t *testing.T) {
	t.Parallel()
	for h := range 1 << 16 {
		if h>>10&0x1f == 31 {
			continue
		}
		require.Equal(t, uint16(h), toHalf(fromHalf(uint16(h))), "%#x", h)
	}
}

func TestHalfRoundsToNearest(t *testing.T) {
	t.Parallel()
	for in, want := range map[float32]float32{
		0: 0, 1: 1, -2.5: -2.5, 1.0 / 3: 0.33325195, 2049: 2048, 2051: 2052, 65504: 65504, 65519: 65504, 1e9: 65504, -1e9: -65504,
		1e-9: 0, 6e-8: 5.9604645e-08,
	} {
		require.Equal(t, want, fromHalf(toHalf(in)), "%g", in)
	}
	for x := float32(1e-6); x < 60000; x *= 1.07 {
		got := fromHalf(toHalf(x))
		require.LessOrEqual(t, math.Abs(float64(got-x)), max(float64(x)/2048, 1.0/(1<<25)), "%g", x)
	}
}
