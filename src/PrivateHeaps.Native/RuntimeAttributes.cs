namespace System.Runtime;

// The ahead-of-time compiler looks for these two by their full names, wherever they are declared. It compiles what they mark as
// plain C functions and plain C calls: no transition between managed and native code, and so no runtime that would have to be running.

/// <summary>The static method is a C function with the given name.</summary>
[AttributeUsage(AttributeTargets.Method, Inherited = false)]
internal sealed class RuntimeExportAttribute(string entryPoint) : Attribute
{
    public string EntryPoint = entryPoint;
}

/// <summary>The extern method is the C function with the given name.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Constructor, Inherited = false)]
internal sealed class RuntimeImportAttribute(string libraryName, string entryPoint) : Attribute
{
    public string DllName = libraryName;
    public string EntryPoint = entryPoint;
}
