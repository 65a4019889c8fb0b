"""Events on their way to other files and programs: conversion, joining, showers."""
