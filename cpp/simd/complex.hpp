// Complex numbers over doubles, floats and lanes; only what amplitudes need.
#pragma once

#include "simd/lane.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

template <class T>
struct Complex {
    T re, im;

    MADNIS_INLINE friend Complex operator+(const Complex& a, const Complex& b) {
        return {a.re + b.re, a.im + b.im};
    }
    MADNIS_INLINE friend Complex operator-(const Complex& a, const Complex& b) {
        return {a.re - b.re, a.im - b.im};
    }
    MADNIS_INLINE friend Complex operator-(const Complex& a) { return {-a.re, -a.im}; }
    MADNIS_INLINE friend Complex operator*(const Complex& a, const Complex& b) {
        return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
    }
    MADNIS_INLINE friend Complex operator*(const T& a, const Complex& b) {
        return {a * b.re, a * b.im};
    }
    MADNIS_INLINE Complex& operator+=(const Complex& b) { return *this = *this + b; }
    MADNIS_INLINE Complex& operator-=(const Complex& b) { return *this = *this - b; }
};

template <class T>
MADNIS_INLINE Complex<T> times_i(const Complex<T>& z) {
    return {-z.im, z.re};
}

template <class T>
MADNIS_INLINE Complex<T> conj(const Complex<T>& z) {
    return {z.re, -z.im};
}

template <class T>
MADNIS_INLINE T norm(const Complex<T>& z) {
    return z.re * z.re + z.im * z.im;
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis
