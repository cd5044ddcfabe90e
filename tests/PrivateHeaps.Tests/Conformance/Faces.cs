using System.Reflection;
using Xunit.Sdk;

namespace PrivateHeaps.Tests.Conformance;

/// <summary>Runs a theory once for each face.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class EveryFaceAttribute : DataAttribute
{
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) =>
        SuiteRunner.IsAlone ? [[new HeapApiFace()], [new PrivateHeapFace()]] : [[new HeapApiFace()], [new PrivateHeapFace()], [new NativeFace()]];
}

/// <summary>Runs a theory once for each face that has all sixteen functions.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class Win32FacesAttribute : DataAttribute
{
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) =>
        SuiteRunner.IsAlone ? [[new HeapApiFace()]] : [[new HeapApiFace()], [new NativeFace()]];
}
