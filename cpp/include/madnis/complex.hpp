// Complex numbers over doubles, floats and lanes; only what amplitudes need.
#pragma once

#include "madnis/lane.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

template <class T>
struct Complex {
    T re, im;

    friend Complex operator+(const Complex& a, const Complex& b) { return {a.re + b.re, a.im + b.im}; }
    friend Complex operator-(const Complex& a, const Complex& b) { return {a.re - b.re, a.im - b.im}; }
    friend Complex operator-(const Complex& a) { return {-a.re, -a.im}; }
    friend Complex operator*(const Complex& a, const Complex& b) {
        return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
    }
    friend Complex operator*(const T& a, const Complex& b) { return {a * b.re, a * b.im}; }
    Complex& operator+=(const Complex& b) { return *this = *this + b; }
    Complex& operator-=(const Complex& b) { return *this = *this - b; }
};

template <class T>
Complex<T> times_i(const Complex<T>& z) {
    return {-z.im, z.re};
}

template <class T>
Complex<T> conj(const Complex<T>& z) {
    return {z.re, -z.im};
}

template <class T>
T norm(const Complex<T>& z) {
    return z.re * z.re + z.im * z.im;
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis
