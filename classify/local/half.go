package local

import "math"

// toHalf rounds to the nearest IEEE 754 half-precision number, ties to even. What is too large
// becomes the largest finite one.
func toHalf(f float32) uint16 {
	b := math.Float32bits(f)
	sign := uint16(b >> 16 & 0x8000)
	abs := math.Float32frombits(b &^ (1 << 31))
	switch {
	case !(abs < 65520): // NaN too: weights are never that
		return sign | 0x7bff
	case abs < 1.0/(1<<14): // subnormal: multiples of 2^-24
		return sign | uint16(math.RoundToEven(float64(abs)*(1<<24)))
	}
	bits := math.Float32bits(abs)
	bits += 0xfff + bits>>13&1 // to nearest, ties to even; a carry goes into the exponent
	return sign | uint16(bits>>13-(127-15)<<10)
}

// fromHalf gives the value of a half-precision number.
func fromHalf(h uint16) float32 {
	exp, frac := int(h>>10&0x1f), float64(h&0x3ff)
	var v float64
	switch exp {
	case 0:
		v = math.Ldexp(frac, -24)
	case 31:
		v = math.Inf(1)
		if frac != 0 {
			v = math.NaN()
		}
	default:
		v = math.Ldexp(1024+frac, exp-25)
	}
	if h&0x8000 != 0 {
		v = -v
	}
	return float32(v)
}
