/* What libFuzzer calls, and each target defines: one input, any bytes; 0. */
#pragma once
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
