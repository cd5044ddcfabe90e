// The native libraries are built for one system. Where there are several, the managed library has a class of this name that asks at run time.
global using CurrentOs = PrivateHeaps.Platform.LinuxOs;
