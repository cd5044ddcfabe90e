// Locals that are taken by address need not be zeroed first: C# assigns each before its first use.
[module: System.Runtime.CompilerServices.SkipLocalsInit]
