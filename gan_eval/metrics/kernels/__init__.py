"""The picture metrics' work on pixels: as compiled code on the CPU, in torch on other devices."""
